import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const POD = '0a:00:00:00:00:07';
const NODE = 'ee:ee:ee:ee:ee:ee';
const GATEWAY = '169.254.1.1';
const only = { select: ['arp/link-local-gateway-unanswered'] };

describe('arp/link-local-gateway-unanswered', () => {
  it('is likely after three requests of a kernel, and takes the symptom in', async () => {
    const found = await new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY).findings();
    expect(inShort(found)).toEqual([['arp/link-local-gateway-unanswered', 'likely', [1, 2, 3]]]);
    expect(found[0].explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it('is certain where an answer would be seen', async () => {
    const capture = new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY, { direction: 'out' });
    capture.at(4).ask(NODE, '10.42.0.1', '10.42.0.9', { direction: 'in' });
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['certain']);
  });

  it('hints after two', async () => {
    const capture = new Capture().askAgain(2, POD, '10.42.0.7', GATEWAY);
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('keeps still about one request, about another target, and about a link-local asker', async () => {
    expect(await new Capture().ask(POD, '10.42.0.7', GATEWAY).findings(only)).toEqual([]);
    expect(await new Capture().askAgain(3, POD, '10.42.0.7', '169.254.1.2').findings(only)).toEqual([]);
    expect(await new Capture().askAgain(3, POD, '169.254.9.9', GATEWAY).findings(only)).toEqual([]);
  });

  it('keeps still when the node answers, 0.8 s late too', async () => {
    const capture = new Capture().ask(POD, '10.42.0.7', GATEWAY).at(0.8).answer(NODE, GATEWAY, POD, '10.42.0.7');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart: the answer in another one is none', async () => {
    const capture = new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY, { vlan: 1 });
    capture.answer(NODE, GATEWAY, POD, '10.42.0.7', { vlan: 2 });
    expect(await capture.findings(only)).toHaveLength(1);
  });
});
