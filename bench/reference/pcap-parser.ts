import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/** Counts the packets of a capture with npm's `pcap-parser`: reading alone, nothing decoded. */
const { parse } = createRequire(import.meta.url)('pcap-parser') as { parse(path: string): EventEmitter };

let packets = 0;
parse(process.argv[2])
  .on('packet', () => packets++)
  .on('end', () => console.log(packets));
