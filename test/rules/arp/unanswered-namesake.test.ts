import { describe, expect, it } from 'vitest';
import { Capture } from '../../support/wire.js';

const ASKER = '02:00:00:00:00:01';
const TARGET = '02:00:00:00:00:02';
const CLIENT = '02:00:00:00:00:03';
const TAKEN = 'seems to be on two machines';

/** The target answers a client for each of `names`, speaks as 10.0.0.2, and keeps still towards 10.0.0.1. */
function silentTowards(...names: readonly string[]): Capture {
  const capture = new Capture();
  for (const name of names) capture.ask(CLIENT, '10.0.0.3', name).answer(TARGET, name, CLIENT, '10.0.0.3');
  return capture
    .ask(TARGET, '10.0.0.2', '10.0.0.3')
    .answer(CLIENT, '10.0.0.3', TARGET, '10.0.0.2')
    .at(1)
    .askAgain(3, ASKER, '10.0.0.1', '10.0.0.2');
}

async function causesOf(capture: Capture): Promise<(string | undefined)[]> {
  return (await capture.findings({ select: ['arp/unanswered'] })).map(({ cause }) => cause);
}

describe('arp/unanswered of a target that has the address of who asks', () => {
  it('is laid to the address where the target answers for it', async () => {
    expect(await causesOf(silentTowards('10.0.0.1'))).toEqual([expect.stringContaining(TAKEN)]);
  });

  it('is laid to it where the target asks in its name, whatever else it answers for', async () => {
    const capture = new Capture().ask(TARGET, '10.0.0.1', '10.0.0.3').answer(CLIENT, '10.0.0.3', TARGET, '10.0.0.1');
    for (const name of ['10.0.0.4', '10.0.0.5'])
      capture.ask(CLIENT, '10.0.0.3', name).answer(TARGET, name, CLIENT, '10.0.0.3');
    capture.ask(TARGET, '10.0.0.2', '10.0.0.3').answer(CLIENT, '10.0.0.3', TARGET, '10.0.0.2');
    capture.at(1).askAgain(3, ASKER, '10.0.0.1', '10.0.0.2');
    expect(await causesOf(capture)).toEqual([expect.stringContaining(TAKEN)]);
  });

  it.each([
    ['answers for itself alone', ['10.0.0.2']],
    ['is a proxy', ['10.0.0.1', '10.0.0.4', '10.0.0.5']],
  ])('is left open where the target %s', async (_, names) => {
    expect(await causesOf(silentTowards(...names))).toEqual([expect.not.stringContaining(TAKEN)]);
  });
});
