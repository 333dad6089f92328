import type { CommandWords, Words } from './words.js';

/** Completion for bash: `source <(netdiag completion bash)`. File names are left to bash (`-o default`). */
export function bashCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# netdiag completion for bash: source <(netdiag completion bash)
_netdiag() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names} --help --version' -- "$word"))
    return
  fi
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
complete -o default -F _netdiag netdiag
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const flags = options.flatMap((option) => option.flags).join(' ');
  const values = options.flatMap((option) =>
    option.value === null ? [] : [`        ${option.flags.join('|')}) ${offer(option.value)}; return ;;`],
  );
  return `    ${name})
      case $before in
${values.join('\n')}
      esac
      case $word in
        -*) COMPREPLY=($(compgen -W '${flags}' -- "$word")) ;;
        *) ${argument === null ? ':' : offer(argument)} ;;
      esac ;;`;
}

/** No word at all makes bash offer files. */
function offer({ kind, words }: Words): string {
  if (kind === 'interfaces') return 'COMPREPLY=($(compgen -W "$(ls /sys/class/net 2>/dev/null) any -" -- "$word"))';
  return kind === 'files' || words.length === 0
    ? 'COMPREPLY=()'
    : `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$word"))`;
}
