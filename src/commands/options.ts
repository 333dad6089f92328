import { Option } from 'commander';

/** Arguments and options that several commands have, each worded once; `program.ts` says which command has which. */

export const CAPTURE_FILE = 'pcap or pcapng, plain, .gz or .zst, or text that tcpdump printed';
export const CAPTURE = `${CAPTURE_FILE}; - is standard input`;
export const HELP = ['-h, --help', 'print this help'] as const;

export const FILTER = option(
  '-f, --filter <expression>',
  'only frames that this filter lets through, in the language of tcpdump',
);
export const FORMAT = option('--format <name>', 'text (default), json, ndjson, markdown, html, sarif, junit or github');
export const NO_TUI = option('--no-tui', 'print, even on a terminal, where a full-screen view opens otherwise');
export const OUTPUT = option('-o, --output <file>', 'write there, whole or not at all');
export const VXLAN_PORT = list('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)');
export const COLOR = option('--color <when>', 'auto (default), always or never');
export const CONFIG = option('--config <file>', 'configuration (default: netdiag.config.json, searched upwards)');

/** Which rules run. */
export const RULES = [
  list('--select <rule,...>', 'only these rules or groups (arp, arp/*, arp/unanswered)'),
  list('--ignore <rule,...>', 'not these rules or groups'),
];

/** What is shown of what they find. */
export const SHOWN = [
  option('--min-severity <severity>', 'show only error, or error and warning, or (info) all'),
  option('--min-confidence <confidence>', 'show only certain, or certain and likely, or (hint) all'),
];

export const FAIL_ON = option(
  '--fail-on <severity>',
  'severity from which the exit status is 1, or never (default: warning)',
);

/** Where the frames come from. */
export const PLACE = [
  option('--context <file>', 'what the host knows of itself: the JSON output of ip and bridge'),
  option('--vantage <namespace/interface>', 'where it was captured, if the file does not say'),
  VXLAN_PORT,
];

/** How much is printed, and how it looks. */
export const LOOK = [
  COLOR,
  option('-q, --quiet', 'one line a finding'),
  option('-v, --verbose', 'also who is attached how, what was suppressed or passed over, and fingerprints'),
];

function option(flags: string, description: string): Option {
  return new Option(flags, description);
}

/** An option that may be given several times. */
function list(flags: string, description: string): Option {
  return option(flags, description).argParser((value: string, earlier: string[] = []) => [...earlier, value]);
}
