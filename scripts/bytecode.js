// Usage: node scripts/bytecode.js, after the program was bundled
// Runs the program on a few captures and keeps the bytecode of all functions that these needed beside it; bin/start.js hands
// it to V8. It holds for this version of Node.js: with others the program works, but starts later.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { start, bytecode } = createRequire(import.meta.url)('../bin/start.js');

/** ARP, neighbor discovery, ping, TCP, VXLAN. With all fixtures the bytecode is twice as large, and reading it costs more than it saves. */
const CAPTURES = [
  'fixtures/demo/vepa.pcap',
  'fixtures/rules/nd/unanswered/healthy-detection/capture.pcap',
  'fixtures/rules/tcp/retransmissions/losses/capture.pcap',
  'fixtures/rules/vxlan/inner-mtu/mss-1410/capture.pcap',
];

process.argv = [process.execPath, 'netdiag', 'analyze', ...CAPTURES, '--format', 'json', '--fail-on', 'never'];
process.stdout.write = () => true;
const script = start();
process.on('exit', () => writeFileSync(bytecode, script.createCachedData()));
