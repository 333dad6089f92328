import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { Wire } from '../live/wire.js';
import { BENCH, NETDIAG } from '../tools.js';
import { generate } from '../traffic/generate.js';
import { Screen } from './screen.js';

const USAGE = `npm run bench:tui -- [options]
  --capture <file>  a large pcap with Ethernet, little-endian, instead of the corpus of 1 GB
  --keys <n>        keys pressed while it is analysed; default 100
  --live            at 100,000 packets a second: needs root, it makes two network namespaces
  --seconds <n>     of live traffic; default 10`;

const GIGABYTE = 1e9;
const RATE = 100_000;
const TARGETS = { first: 2000, key: 100, memory: 200e6 };

const { values: options } = parseArgs({
  options: {
    capture: { type: 'string' },
    keys: { type: 'string', default: '100' },
    live: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(USAGE);
else if (options.live) await benchLive();
else await benchFile();

async function benchFile(): Promise<void> {
  const corpus = options.capture ?? join(BENCH, 'corpora', 'large.pcap');
  if (options.capture === undefined) generate('imix', corpus, { bytes: GIGABYTE });
  const path = join(BENCH, 'corpora', 'faulty.pcap');
  addFault(corpus, path);
  const screen = new Screen([...NETDIAG, 'analyze', path]);
  try {
    await screen.draws('10.99.0.2');
    tell('first finding after the start', screen.time, TARGETS.first);
    const keys = await keyTimes(screen, Number(options.keys));
    tellKeys('a key, while it is analysed', keys);
    tell('a search from the begin, first answer', await screen.press('2g/no such thing\r', 'Searching'), TARGETS.key);
    tellKeys('a key, while it is searched as well', await keyTimes(screen, 10));
    await screen.press('1', '[1 Findings]');
    const begin = screen.time;
    // The status line says how far it is until it is there.
    while (/MB\/s/.test(await screen.latest())) await sleep(200);
    console.log(`analysed to its end after another ${((screen.time - begin) / 1000).toFixed(1)} s`);
    tellKeys('a key, when all is read', await keyTimes(screen, 20));
    tell('the last frame', await screen.press('2G', '▌'), TARGETS.key);
    console.log(
      `peak memory ${Math.round(screen.memory() / 1e6)} MB ${verdict(screen.memory() <= TARGETS.memory)} (≤ 200 MB)`,
    );
  } finally {
    await screen.end();
    rmSync(path, { force: true });
  }
}

/** Sends as many packets through a program with the view as through one without, and counts what each lost. */
async function benchLive(): Promise<void> {
  for (const isTui of [false, true, false, true]) {
    const wire = new Wire();
    const more = isTui ? [] : ['--no-tui'];
    const screen = new Screen(
      wire.inside('b', [...NETDIAG, 'live', wire.device, '--verbose', '--fail-on', 'never', ...more]),
    );
    try {
      await screen.draws(isTui ? 'live 0:' : 'capturing on');
      await sleep(1000);
      const packets = RATE * Number(options.seconds);
      const sender = [process.execPath, join(BENCH, 'live', 'sender.js'), wire.device, String(packets), String(RATE)];
      const [ip, ...words] = wire.inside('a', sender);
      const sending = promisify(execFile)(ip, words);
      let isSending = true;
      sending.finally(() => {
        isSending = false;
      });
      const keys: number[] = [];
      while (isTui && isSending) keys.push(...(await keyTimes(screen, 2)));
      const { sent, seconds } = JSON.parse((await sending).stdout);
      await sleep(500);
      const arrived = wire.arrived();
      console.log(
        `${isTui ? 'with the view' : 'without'}: ${sent} sent at ${Math.round(sent / seconds)}/s, ${arrived} arrived`,
      );
      if (isTui) {
        tellKeys('  a key meanwhile', keys);
        const drawn = await textAfter(screen, '4');
        console.log(`  ${drawn}`);
      } else {
        screen.type('\x03');
        console.log(`  ${await textAfter(screen, '')}`);
      }
    } finally {
      await screen.end();
      wire.remove();
    }
  }
}

/** What the screen shows behind a key, without its styles: the line that counts. */
async function textAfter(screen: Screen, key: string): Promise<string> {
  screen.type(key);
  await sleep(1500);
  const lines = screen.text.split(/[\r\n]+/);
  return (
    lines
      .filter((line) => /frames.*drop|drop.*frames|frames in /.test(line))
      .at(-1)
      ?.trim() ?? 'nothing told'
  );
}

/** Presses keys that change what is shown, one after the other, and times each until its screen is drawn. */
async function keyTimes(screen: Screen, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const [key, text] = i % 2 === 0 ? ['4', '[4 Traffic]'] : ['2', '[2 Frames]'];
    times.push(await screen.press(key, text));
    await sleep(40);
  }
  return times;
}

function tellKeys(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const p95 = at(0.95);
  console.log(
    `${what}: median ${at(0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms ${verdict(p95 <= TARGETS.key)} (≤ ${TARGETS.key}), worst ${at(1).toFixed(0)} ms`,
  );
}

function tell(what: string, milliseconds: number, target: number): void {
  console.log(`${what}: ${milliseconds.toFixed(0)} ms ${verdict(milliseconds <= target)} (≤ ${target})`);
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}

/** Copies a healthy capture with four questions that nobody answers in front, a second apart. */
function addFault(from: string, to: string): void {
  const HEADER = 24;
  const RECORD = 16;
  const source = openSync(from, 'r');
  const head = Buffer.alloc(HEADER + RECORD);
  readSync(source, head, 0, head.length, 0);
  const begin = head.readUInt32LE(HEADER) - 10;
  const records = [0, 1, 2, 3].map((second) => {
    const arp = '0001080006040001020000000a010a6300010000000000000a630002';
    const frame = Buffer.from(`ffffffffffff020000000a010806${arp}`, 'hex');
    const record = Buffer.alloc(RECORD);
    record.writeUInt32LE(begin + second, 0);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  const target = openSync(to, 'w');
  writeSync(target, Buffer.concat([head.subarray(0, HEADER), ...records]));
  const chunk = Buffer.alloc(1024 * 1024);
  for (let at = HEADER, read = 1; read > 0; at += read) {
    read = readSync(source, chunk, 0, chunk.length, at);
    writeSync(target, chunk, 0, read);
  }
  closeSync(source);
  closeSync(target);
}
