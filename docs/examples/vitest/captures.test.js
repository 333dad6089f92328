import { fileURLToPath } from 'node:url';
import { toMatchFindings } from 'netdiag/vitest';
import { expect, test } from 'vitest';

expect.extend({ toMatchFindings });

const capture = fileURLToPath(new URL('captures/vepa.pcap', import.meta.url));

test('the recorded fault is found as expected', async () => {
  // Compares with captures/vepa.expect.json.
  await expect(capture).toMatchFindings();
});

test('expectations may stand in the test as well', async () => {
  await expect(capture).toMatchFindings([
    {
      rule: 'arp/unanswered',
      frames: [1, 2, 3],
      subject: { ip: '172.16.91.102', requester: '172.16.91.101', mac: '26:10:84:17:90:d1' },
    },
  ]);
});
