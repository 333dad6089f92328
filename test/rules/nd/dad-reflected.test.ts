import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement, solicitation } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const T = 'fd00::7';
const RULE = 'nd/dad-reflected';
const only = { select: [RULE] };
const OUT: Way = { direction: 'out' };
const IN: Way = { direction: 'in' };

/** A probe with a nonce option (RFC 3971 section 5.3.2) of six bytes. */
function withNonce(probe: readonly number[]): number[] {
  const longer = [...probe, 14, 1, 1, 2, 3, 4, 5, 6];
  longer[14 + 5] += 8;
  return longer;
}

function reflected(probe: readonly number[] = solicitation(A, '::', T), first = OUT, second = IN, after = 0.0001) {
  return new Capture().raw(probe, first).at(after).raw(probe, second);
}

/** B asks three times for the target and gets no answer, from `seconds` on. */
function askedInVain(capture: Capture, seconds: number, way: Way = IN, target = T): Capture {
  for (let i = 0; i < 3; i++) capture.at(seconds + 1.02 * i).raw(solicitation(B, 'fd00::9', target), way);
  return capture.at(seconds + 6).ask(B, '10.0.0.2', '10.0.0.3', way);
}

function device(info: object | null, addresses: object[] = []) {
  const link = { ifindex: 2, ifname: 'eth0', link_type: 'ether', flags: ['UP'], address: A };
  return parseContext({
    kernel: '6.18',
    namespaces: {
      ns1: {
        'ip -d -j link': [{ ...link, ...(info ? { linkinfo: info } : {}) }],
        'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: addresses }],
      },
    },
  });
}

const macvlan = (mode: string) => device({ info_kind: 'macvlan', info_data: { mode } });
const failed = { family: 'inet6', local: T, prefixlen: 64, dadfailed: true, tentative: true };

describe(RULE, () => {
  it('is a hint where nothing shows what became of the address', async () => {
    const findings = await reflected().findings(only);
    expect(inShort(findings)).toEqual([[RULE, 'hint', [1, 2]]]);
    expect(findings[0].subject).toEqual({ ip: T, mac: A });
    expect(findings[0].caveats).toHaveLength(1);
  });

  it('is likely once others ask for the address in vain, and names their questions its symptom', async () => {
    const findings = await askedInVain(reflected(), 2).findings();
    expect(inShort(findings)).toEqual([[RULE, 'likely', [1, 2, 3, 4, 5]]]);
  });

  it('does not count questions from before the probe', async () => {
    const capture = askedInVain(new Capture(), 0)
      .at(20)
      .raw(solicitation(A, '::', T), OUT);
    capture.at(20.0001).raw(solicitation(A, '::', T), IN);
    const findings = await capture.findings(only);
    expect(findings.map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('is likely where a link-local address stays silent for five seconds, and a hint before', async () => {
    const probe = solicitation(A, '::', 'fe80::7');
    const spokenAfter = async (seconds: number) =>
      (await reflected(probe).at(seconds).ask(B, '10.0.0.2', '10.0.0.3', IN).findings(only)).map((f) => f.confidence);
    expect(await spokenAfter(4.9)).toEqual(['hint']);
    expect(await spokenAfter(5.1)).toEqual(['likely']);
  });

  it('keeps still once the address is used', async () => {
    const used = reflected()
      .at(2)
      .raw(solicitation(A, T, 'fd00::9'), OUT);
    expect(await used.findings(only)).toEqual([]);
    const answered = reflected()
      .at(2)
      .raw(advertisement(A, T, { mac: B, ip: 'fd00::9' }), OUT);
    expect(await answered.findings(only)).toEqual([]);
  });

  it('still speaks where another station uses it', async () => {
    const capture = reflected()
      .at(2)
      .raw(solicitation(B, T, 'fd00::9'), IN);
    expect(await capture.findings(only)).toHaveLength(1);
  });

  it('keeps still about a probe with a nonce', async () => {
    const capture = askedInVain(reflected(withNonce(solicitation(A, '::', T))), 2);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about solicitations from an address, and about probes of another station', async () => {
    expect(await reflected(solicitation(A, 'fd00::1', T)).findings(only)).toEqual([]);
    const two = new Capture()
      .raw(solicitation(A, '::', T), OUT)
      .at(0.0001)
      .raw(solicitation(B, '::', T), IN);
    expect(await two.findings(only)).toEqual([]);
  });

  it('takes a probe back within 50 ms, and none later', async () => {
    expect(await reflected(undefined, OUT, IN, 0.049).findings(only)).toHaveLength(1);
    expect(await reflected(undefined, OUT, IN, 0.051).findings(only)).toEqual([]);
  });

  it('hears it at the switch port and without directions, and not where both copies go one way', async () => {
    expect(await reflected(undefined, IN, OUT).findings(only)).toHaveLength(1);
    expect(await reflected(undefined, {}, {}).findings(only)).toHaveLength(1);
    expect(await reflected(undefined, IN, IN).findings(only)).toEqual([]);
    expect(await reflected(undefined, OUT, OUT).findings(only)).toEqual([]);
  });

  it('leaves a loop to its own rule', async () => {
    const capture = new Capture();
    for (let i = 0; i < 8; i++) capture.at(i / 10_000).raw(solicitation(A, '::', T), i === 0 ? OUT : IN);
    expect(await askedInVain(capture, 2).findings(only)).toEqual([]);
  });

  it('names one finding a station, with all its addresses', async () => {
    const capture = reflected();
    for (const seconds of [1, 1.0001])
      capture.at(seconds).raw(solicitation(A, '::', 'fd00::8'), seconds === 1 ? OUT : IN);
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([[RULE, 'hint', [1, 2, 3, 4]]]);
    expect(findings[0].title).toContain('and 1 more');
  });

  it('is certain where the host context calls the address dadfailed', async () => {
    const context = device(null, [failed]);
    expect(inShort(await reflected().findings({ ...only, context }))).toEqual([[RULE, 'certain', [1, 2]]]);
    const other = device(null, [{ ...failed, local: 'fd00::8' }]);
    expect(inShort(await reflected().findings({ ...only, context: other }))).toEqual([[RULE, 'likely', [1, 2]]]);
  });

  it.each(['vepa', 'bridge'])('keeps still about a macvlan child in %s mode', async (mode) => {
    expect(await reflected().findings({ ...only, context: macvlan(mode) })).toEqual([]);
  });

  it.each(['private', 'passthru'])('speaks of a macvlan child in %s mode', async (mode) => {
    const findings = await reflected().findings({ ...only, context: macvlan(mode) });
    expect(inShort(findings)).toEqual([[RULE, 'likely', [1, 2]]]);
  });

  it('keeps VLANs apart, and sees a tagged one', async () => {
    const tagged = (vlan: number): Way => ({ direction: 'out', vlan });
    const inVlan = reflected(undefined, tagged(10), { direction: 'in', vlan: 10 });
    const asked = await askedInVain(inVlan, 2, { direction: 'in', vlan: 20 }).findings(only);
    expect(inShort(asked)).toEqual([[RULE, 'hint', [1, 2]]]);
    const again = reflected(undefined, tagged(10), { direction: 'in', vlan: 10 });
    const same = await askedInVain(again, 2, { direction: 'in', vlan: 10 }).findings(only);
    expect(inShort(same).map(([, confidence]) => confidence)).toEqual(['likely']);
  });
});
