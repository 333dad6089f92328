import type { CommandWords, OptionWords, Words } from './words.js';

/** Completion for zsh: in a file `_netdiag` of a folder in `$fpath`, or sourced after `compinit`. */
export function zshCompletion(commands: readonly CommandWords[]): string {
  return `#compdef netdiag
# netdiag completion for zsh: netdiag completion zsh > "\${fpath[1]}/_netdiag"
_netdiag() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = _netdiag ]; then _netdiag "$@"; else compdef _netdiag netdiag; fi
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const specs = [...options.flatMap(optionSpecs), ...(argument === null ? [] : [quoted(`*:${action(argument)}`)])];
  return `    ${name})
      _arguments -s \\
${specs.map((spec) => `        ${spec}`).join(' \\\n')} ;;`;
}

function optionSpecs({ flags, description, value }: OptionWords): string[] {
  const told = description.replace(/[[\]]/g, '').replace(/:/g, '\\:');
  const takes = value === null ? '' : `:${action(value)}`;
  return flags.map((flag) => quoted(`*${flag}[${told}]${takes}`));
}

/** The message and the action of a specification; its colon is written by the caller. */
function action({ kind, words }: Words): string {
  if (kind === 'files') return 'file:_files';
  if (kind === 'interfaces') return 'interface:_net_interfaces';
  return words.length === 0 ? 'value: ' : `value:(${words.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
