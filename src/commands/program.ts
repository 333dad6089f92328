import { Command, CommanderError } from 'commander';
import { version } from '../package/version.js';
import type { AnalyzeFlags } from './analyze-settings.js';
import type { CheckFlags } from './check/check.js';
import { tellError } from './errors.js';
import { type FramesFlags, framesOptions } from './frames-options.js';
import { type CommandIo, Exit } from './io.js';
import type { LiveFlags } from './live/live.js';
import type { ReportFlags } from './report/report.js';
import { commandLineError } from './usage.js';

/** Runs the command that the arguments name; everything it says goes to `io`. Returns the exit status. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  let status: number = Exit.Ok;
  const done = async (result: Promise<number>) => {
    status = await result;
  };
  try {
    await program(io, done).parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) tellError(error, io);
    else if (error.exitCode === 0) return Exit.Ok;
    else tellError(commandLineError(error), io);
    return Exit.Usage;
  }
}

/** The commands and their options; each command's code is loaded when it runs. `done` gets its exit status. */
export function program(io: CommandIo, done: (result: Promise<number>) => Promise<void>): Command {
  const netdiag = new Command('netdiag')
    .description('Says what is wrong in a Linux container or VM network from a packet capture.')
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });

  netdiag
    .command('analyze')
    .description('read captures and report what is wrong')
    .argument('<capture...>', 'pcap or pcapng, plain, .gz or .zst; - is standard input')
    .option('-f, --filter <expression>', 'only frames that this filter lets through, in the language of tcpdump')
    .option('--format <name>', 'text (default), json, ndjson, markdown, html, sarif, junit or github')
    .option('--no-tui', 'print, even on a terminal, where a full-screen view opens otherwise')
    .option('-o, --output <file>', 'write there, whole or not at all')
    .option('--select <rule,...>', 'only these rules or groups (arp, arp/*, arp/unanswered)', collect)
    .option('--ignore <rule,...>', 'not these rules or groups', collect)
    .option('--min-severity <severity>', 'show only error, or error and warning, or (info) all')
    .option('--min-confidence <confidence>', 'show only certain, or certain and likely, or (hint) all')
    .option('--fail-on <severity>', 'severity from which the exit status is 1, or never (default: warning)')
    .option('--context <file>', 'what the host knows of itself: the JSON output of ip and bridge')
    .option('--vantage <namespace/interface>', 'where it was captured, if the file does not say')
    .option('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)', collect)
    .option('--color <when>', 'auto, always or never')
    .option('-q, --quiet', 'one line a finding')
    .option('-v, --verbose', 'say more')
    .option('--config <file>', 'configuration (default: netdiag.config.json, searched upwards)')
    .action((captures: string[], flags: AnalyzeFlags) =>
      done(import('./analyze.js').then(({ runAnalyze }) => runAnalyze(captures, flags, io))),
    );

  netdiag
    .command('live')
    .description('capture on interfaces and tell findings as they happen')
    .argument('<interface...>', 'devices, or any; - reads a capture stream (tcpdump -U -w - | netdiag live -)')
    .option('-f, --filter <expression>', 'what to capture, in the language of tcpdump')
    .option('--netns <name>', 'network namespace in which the interfaces are')
    .option('-c, --count <n>', 'end after so many frames')
    .option('--duration <s>', 'end after so many seconds')
    .option('-w, --write <file>', 'write what is captured as pcapng, with directions and host context')
    .option('--ring <n>x<MiB>', 'with --write: so many files of that size, the oldest replaced')
    .option('--buffer <MiB>', 'memory for packets that wait (default: 32)')
    .option('--snapshot-length <bytes>', 'bytes of each packet to capture (default: 262144)')
    .option('--backend <name>', 'auto (default), ring (AF_PACKET, Linux) or cap (the npm package, if installed)')
    .option('--no-promiscuous', 'capture only what the interface would take in anyway')
    .option('--format <name>', 'text (default), json, ndjson, markdown, html, sarif, junit or github')
    .option('--no-tui', 'print, even on a terminal, where a full-screen view opens otherwise')
    .option('-o, --output <file>', 'write there, whole or not at all')
    .option('--select <rule,...>', 'only these rules or groups (arp, arp/*, arp/unanswered)', collect)
    .option('--ignore <rule,...>', 'not these rules or groups', collect)
    .option('--min-severity <severity>', 'show only error, or error and warning, or (info) all')
    .option('--min-confidence <confidence>', 'show only certain, or certain and likely, or (hint) all')
    .option('--fail-on <severity>', 'severity from which the exit status is 1, or never (default: warning)')
    .option('--context <file>', 'what the host knows of itself: the JSON output of ip and bridge')
    .option('--vantage <namespace/interface>', 'where it was captured, if the file does not say')
    .option('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)', collect)
    .option('--color <when>', 'auto, always or never')
    .option('-q, --quiet', 'one line a finding')
    .option('-v, --verbose', 'say more')
    .option('--config <file>', 'configuration (default: netdiag.config.json, searched upwards)')
    .action((interfaces: string[], flags: LiveFlags) =>
      done(import('./live/live.js').then(({ runLive }) => runLive(interfaces, flags, io))),
    );

  netdiag
    .command('interfaces')
    .description('list what can be captured here, what it is, and whether permission suffices')
    .option('--format <name>', 'text or json', 'text')
    .option('--color <when>', 'auto, always or never')
    .action((flags) => done(import('./live/interfaces.js').then(({ runInterfaces }) => runInterfaces(flags, io))));

  netdiag
    .command('frames')
    .description('print decoded frames, one a line')
    .argument('<capture...>', 'pcap or pcapng, plain, .gz or .zst; - is standard input')
    .option('-f, --filter <expression>', 'only frames that this filter lets through, in the language of tcpdump')
    .option('--format <name>', 'text or ndjson', 'text')
    .option('-c, --count <n>', 'end after so many frames')
    .option('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)', collect)
    .action((captures: string[], flags: FramesFlags) =>
      done(import('./frames.js').then(({ runFrames }) => runFrames(captures, framesOptions(flags), io))),
    );

  netdiag
    .command('report')
    .description('write a bug report: findings, decoded proof, environment, how to reproduce it')
    .argument('<capture...>', 'pcap or pcapng, plain, .gz or .zst')
    .option('-f, --filter <expression>', 'only frames that this filter lets through, in the language of tcpdump')
    .option('--format <name>', 'markdown or html', 'markdown')
    .option('-o, --output <file>', 'write there, whole or not at all')
    .option('--evidence <file>', 'also write a pcapng of only the frames that prove, with comments')
    .option('--anonymize', 'map addresses and names to others, drop payloads; findings stay the same')
    .option('--anonymize-key <key>', 'anonymize; the same key maps equally')
    .option('--anonymize-keep-oui', 'anonymize; the manufacturer in MAC addresses stays')
    .option('--select <rule,...>', 'only these rules or groups (arp, arp/*, arp/unanswered)', collect)
    .option('--ignore <rule,...>', 'not these rules or groups', collect)
    .option('--min-severity <severity>', 'show only error, or error and warning, or (info) all')
    .option('--min-confidence <confidence>', 'show only certain, or certain and likely, or (hint) all')
    .option('--context <file>', 'what the host knows of itself: the JSON output of ip and bridge')
    .option('--vantage <namespace/interface>', 'where it was captured, if the file does not say')
    .option('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)', collect)
    .option('--config <file>', 'configuration (default: netdiag.config.json, searched upwards)')
    .action((captures: string[], flags: ReportFlags) =>
      done(import('./report/report.js').then(({ runReport }) => runReport(captures, flags, io))),
    );

  netdiag
    .command('check')
    .description('compare what is found in captures with what is expected of them (x.pcap with x.expect.json)')
    .argument('<folder or capture...>', 'captures, or folders that hold them at any depth')
    .option('--update', 'write down what is found as expected; with --baseline, as known')
    .option('--baseline <file>', 'findings beyond the expectations that are known and accepted')
    .option('--format <name>', 'text, junit, github or sarif', 'text')
    .option('-o, --output <file>', 'write there, whole or not at all')
    .option('--select <rule,...>', 'only these rules or groups (arp, arp/*, arp/unanswered)', collect)
    .option('--ignore <rule,...>', 'not these rules or groups', collect)
    .option('--context <file>', 'host context of captures that have none beside them')
    .option('--vantage <namespace/interface>', 'where they were captured, if neither file nor expectation says')
    .option('--vxlan-port <n,...>', 'further UDP ports that carry VXLAN (4789 and 8472 are known)', collect)
    .option('--color <when>', 'auto, always or never')
    .option('--config <file>', 'configuration (default: netdiag.config.json, searched upwards)')
    .action((paths: string[], flags: CheckFlags) =>
      done(import('./check/check.js').then(({ runCheck }) => runCheck(paths, flags, io))),
    );

  netdiag
    .command('rules')
    .description('list what netdiag looks for')
    .option('--format <name>', 'text or json', 'text')
    .option('--color <when>', 'auto, always or never')
    .action((flags) => done(import('./rules.js').then(({ runRules }) => runRules(flags, io))));

  netdiag
    .command('explain')
    .description('what a rule means, how it looks on the wire, what cures it, when it is wrong')
    .argument('<rule>', 'such as arp/unanswered')
    .option('--color <when>', 'auto, always or never')
    .action((rule, flags) => done(import('./explain.js').then(({ runExplain }) => runExplain(rule, flags, io))));

  netdiag
    .command('completion')
    .description('print a script that completes commands, options and rules in a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell) =>
      done(import('./completion/completion.js').then(({ runCompletion }) => runCompletion(shell, netdiag, io))),
    );

  return netdiag;
}

/** Gathers the values of an option that may be given several times. */
function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
