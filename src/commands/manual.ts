/** What `--help` and the manual page say beside commands and options. */

export const EXAMPLES: readonly (readonly [command: string, does: string])[] = [
  ['netdiag analyze ping.pcap', 'what is wrong in a capture, worst first'],
  ['netdiag analyze ping.pcap --context context.json', 'surer, with what the host knows of itself'],
  ['netdiag analyze client.pcap server.pcap', 'one incident from two places: where requests or answers get lost'],
  ['sudo netdiag live eth0 -w bug.pcapng', 'capture here, and tell findings as they happen'],
  ['ssh host tcpdump -U -w - | netdiag live -', 'the same from afar'],
  ['netdiag frames ping.pcap -f arp', 'decoded frames, one a line'],
  ['netdiag explain arp/unanswered', 'the page of a rule: what it means, what cures it, when it is wrong'],
];

export const EXIT_STATUS: readonly (readonly [status: string, means: string])[] = [
  ['0', 'nothing at or above --fail-on'],
  ['1', 'findings at or above --fail-on, of confidence likely or certain'],
  ['2', 'wrong use, or an input that could not be read at all'],
  ['3', 'an input was readable only in part; what was read is reported'],
  ['130', 'interrupted'],
];

/** What stands below the help of the program. */
export function helpBelow(): string {
  return [
    '',
    'Examples:',
    ...EXAMPLES.flatMap(([command, does]) => [`  ${command}`, `      ${does}`]),
    '',
    'Exit status:',
    ...EXIT_STATUS.map(([status, means]) => `  ${status.padEnd(3)}  ${means}`),
    '',
    'netdiag <command> --help tells the options of a command.',
  ].join('\n');
}
