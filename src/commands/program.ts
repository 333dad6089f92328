import { Command, CommanderError, type Option } from 'commander';
import { version } from '../package/version.js';
import type { AnalyzeFlags } from './analyze-settings.js';
import type { CheckFlags } from './check/check.js';
import { tellError } from './errors.js';
import { type FramesFlags, framesOptions } from './frames-options.js';
import { type CommandIo, Exit } from './io.js';
import type { LiveFlags } from './live/live.js';
import { helpBelow } from './manual.js';
import {
  CAPTURE,
  CAPTURE_FILE,
  COLOR,
  CONFIG,
  FAIL_ON,
  FILTER,
  FORMAT,
  HELP,
  LOOK,
  NO_TUI,
  OUTPUT,
  PLACE,
  RULES,
  SHOWN,
  VXLAN_PORT,
} from './options.js';
import type { ReportFlags } from './report/report.js';
import { commandLineError } from './usage.js';

/** Runs the command that the arguments name; everything it says goes to `io`. Returns the exit status. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  let status: number = Exit.Ok;
  const done = async (result: Promise<number>) => {
    status = await result;
  };
  const netdiag = program(io, done);
  try {
    await netdiag.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) tellError(error, io);
    else if (error.exitCode === 0) return Exit.Ok;
    else {
      const names = netdiag.commands.map((command) => command.name());
      tellError(commandLineError(error, argv, names), io);
    }
    return Exit.Usage;
  }
}

/** The commands and their options; each command's code is loaded when it runs. `done` gets its exit status. */
export function program(io: CommandIo, done: (result: Promise<number>) => Promise<void>): Command {
  const netdiag = new CommandWithOptions('netdiag')
    .description('say what is wrong in a Linux container or VM network from a packet capture')
    .version(version(), '-V, --version', 'print the version')
    .helpOption(...HELP)
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', helpBelow())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });

  netdiag
    .command('analyze')
    .description('read captures and report what is wrong')
    .argument('<capture...>', CAPTURE)
    .with(FILTER, FORMAT, NO_TUI, OUTPUT, ...RULES, ...SHOWN, FAIL_ON, ...PLACE, ...LOOK, CONFIG)
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
    .with(FORMAT, NO_TUI, OUTPUT, ...RULES, ...SHOWN, FAIL_ON, ...PLACE, ...LOOK, CONFIG)
    .action((interfaces: string[], flags: LiveFlags) =>
      done(import('./live/live.js').then(({ runLive }) => runLive(interfaces, flags, io))),
    );

  netdiag
    .command('interfaces')
    .description('list what can be captured here, what it is, and whether permission suffices')
    .option('--format <name>', 'text or json', 'text')
    .with(COLOR)
    .action((flags) => done(import('./live/interfaces.js').then(({ runInterfaces }) => runInterfaces(flags, io))));

  netdiag
    .command('frames')
    .description('print decoded frames, one a line')
    .argument('<capture...>', CAPTURE)
    .with(FILTER)
    .option('--format <name>', 'text or ndjson', 'text')
    .option('-c, --count <n>', 'end after so many frames')
    .with(VXLAN_PORT)
    .action((captures: string[], flags: FramesFlags) =>
      done(import('./frames.js').then(({ runFrames }) => runFrames(captures, framesOptions(flags), io))),
    );

  netdiag
    .command('report')
    .description('write a bug report: findings, decoded proof, environment, how to reproduce it')
    .argument('<capture...>', CAPTURE_FILE)
    .with(FILTER)
    .option('--format <name>', 'markdown or html', 'markdown')
    .with(OUTPUT)
    .option('--evidence <file>', 'also write a pcapng of only the frames that prove, with comments')
    .option('--anonymize', 'map addresses and names to others, drop payloads; findings stay the same')
    .option('--anonymize-key <key>', 'anonymize; the same key maps equally')
    .option('--anonymize-keep-oui', 'anonymize; the manufacturer in MAC addresses stays')
    .with(...RULES, ...SHOWN)
    .option(
      '--fail-on <severity>',
      'severity from which the exit status is 1 (default: never; a report is wanted anyway)',
    )
    .with(...PLACE, ...LOOK, CONFIG)
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
    .with(OUTPUT, ...RULES)
    .option('--context <file>', 'host context of captures that have none beside them')
    .option('--vantage <namespace/interface>', 'where they were captured, if neither file nor expectation says')
    .with(VXLAN_PORT, COLOR, CONFIG)
    .action((paths: string[], flags: CheckFlags) =>
      done(import('./check/check.js').then(({ runCheck }) => runCheck(paths, flags, io))),
    );

  netdiag
    .command('rules')
    .description('list what netdiag looks for')
    .option('--format <name>', 'text or json', 'text')
    .with(COLOR)
    .action((flags) => done(import('./rules.js').then(({ runRules }) => runRules(flags, io))));

  netdiag
    .command('explain')
    .description('what a rule means, how it looks on the wire, what cures it, when it is wrong')
    .argument('<rule>', 'such as arp/unanswered')
    .with(COLOR)
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

/** A command that can take options which others have too. */
class CommandWithOptions extends Command {
  override createCommand(name?: string): CommandWithOptions {
    return new CommandWithOptions(name).helpOption(...HELP);
  }

  with(...options: readonly Option[]): this {
    for (const option of options) this.addOption(option);
    return this;
  }
}
