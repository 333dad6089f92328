import type { CommandWords, OptionWords, Words } from './words.js';

/** Completion for fish: `netdiag completion fish > ~/.config/fish/completions/netdiag.fish`. */
export function fishCompletion(commands: readonly CommandWords[]): string {
  return `# netdiag completion for fish: netdiag completion fish > ~/.config/fish/completions/netdiag.fish
complete -c netdiag -e
complete -c netdiag -n __fish_use_subcommand -f -l help -d 'print this help'
complete -c netdiag -n __fish_use_subcommand -f -l version -d 'print the version'
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ name, description, options, argument }: CommandWords): string[] {
  const here = `complete -c netdiag -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c netdiag -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => `${here} ${optionWords(option)}`),
    ...(argument?.kind === 'files' ? [] : [`${here} -f${argument === null ? '' : offer(argument)}`]),
  ];
}

function optionWords({ flags, description, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return `${names.join(' ')}${valueWords(value)} -d ${quoted(description)}`;
}

/** That a value follows (-r), and files alone for it (-F) or no files (-x). */
function valueWords(value: Words | null): string {
  if (value === null) return '';
  return value.kind === 'files' ? ' -r -F' : ` -x${offer(value)}`;
}

function offer({ kind, words }: Words): string {
  if (kind === 'interfaces') return " -a '(ls /sys/class/net) any -'";
  return words.length === 0 ? '' : ` -a ${quoted(words.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
