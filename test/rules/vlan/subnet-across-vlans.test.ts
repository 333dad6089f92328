import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const ASKER = '02:00:00:00:00:09';
const ROUTER = '02:00:00:00:00:01';
const HOST = '02:00:00:00:00:02';
const HOME = { vlan: 10 };
const WRONG = { vlan: 20 };

const findings = async (capture: Capture) =>
  inShort((await capture.findings()).filter(({ rule }) => rule === 'vlan/subnet-across-vlans'));

/** Router and host talk in VLAN 10 (frames 1 and 2). */
const alive = () =>
  new Capture().ask(HOST, '10.0.0.2', '10.0.0.1', HOME).answer(ROUTER, '10.0.0.1', HOST, '10.0.0.2', HOME);

describe('vlan/subnet-across-vlans', () => {
  it('is likely from two addresses on, and takes the unanswered questions in', async () => {
    const capture = alive().at(2).askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG);
    capture.at(6).askAgain(3, ASKER, '10.0.0.9', '10.0.0.2', WRONG);
    const all = await capture.findings();
    expect(inShort(all)).toEqual([['vlan/subnet-across-vlans', 'likely', [3, 4, 5, 6, 7, 8]]]);
    expect(all[0].explains).toMatchObject([{ rule: 'arp/unanswered', count: 6 }]);
  });

  it('is a hint with one', async () => {
    const capture = alive().at(2).askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG);
    expect(await findings(capture)).toEqual([['vlan/subnet-across-vlans', 'hint', [3, 4, 5]]]);
  });

  it('works for untagged askers, too', async () => {
    const capture = alive().at(2).askAgain(3, ASKER, '10.0.0.9', '10.0.0.1').at(6);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.2');
    expect((await findings(capture)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('keeps still where something is sent to the asker in its own VLAN', async () => {
    const capture = alive()
      .ask(ASKER, '10.0.0.9', '10.0.0.7', WRONG)
      .answer('02:00:00:00:00:07', '10.0.0.7', ASKER, '10.0.0.9', WRONG)
      .at(2);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG).at(6);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.2', WRONG);
    expect(await findings(capture)).toEqual([]);
  });

  it('keeps still where the asker’s VLAN writes to who sends in the other alone: a mirror shows one with and without tag', async () => {
    const seen = (destination: string) => {
      const capture = alive().answer('02:00:00:00:00:07', '10.0.0.7', destination, '10.0.0.2', WRONG).at(2);
      capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG).at(6);
      return findings(capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.2', WRONG));
    };
    expect(await seen(HOST)).toEqual([]);
    expect(await seen('02:00:00:00:00:08')).toHaveLength(1);
  });

  it('keeps still where the asker is in the other VLAN as well', async () => {
    const capture = alive().ask(ASKER, '10.0.0.9', '10.0.0.5', HOME).at(2);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG);
    expect(await findings(capture)).toEqual([]);
  });

  it('keeps still where the target lives in the asker’s VLAN, too', async () => {
    const capture = alive().ask(ROUTER, '10.0.0.1', '10.0.0.5', WRONG).at(2);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG);
    expect(await findings(capture)).toEqual([]);
  });

  it('keeps still where pauses are no kernel’s', async () => {
    const capture = alive();
    for (const time of [2, 2.5, 3, 3.5]) capture.at(time).ask(ASKER, '10.0.0.9', '10.0.0.1', WRONG);
    expect(await findings(capture)).toEqual([]);
  });

  it('keeps still where the addresses live inside a tunnel', async () => {
    const capture = new Capture().ask(HOST, '10.0.0.2', '10.0.0.1', { ...HOME, vni: 7 }).at(2);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.2', WRONG);
    expect(await findings(capture)).toEqual([]);
  });

  it('is no more than a hint where each address is in a VLAN of its own', async () => {
    const capture = new Capture()
      .ask(HOST, '10.0.0.2', '10.0.0.8', HOME)
      .ask(ROUTER, '10.0.0.1', '10.0.0.8', { vlan: 11 })
      .at(2);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.1', WRONG).at(6);
    capture.askAgain(3, ASKER, '10.0.0.9', '10.0.0.2', WRONG);
    expect((await findings(capture)).map(([, confidence]) => confidence)).toEqual(['hint', 'hint']);
  });
});
