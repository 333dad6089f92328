import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../../src/network/events.js';
import { generatedDispatcher } from '../../../src/rules/engine/generated-dispatch.js';
import { plainDispatcher } from '../../../src/rules/engine/plain-dispatch.js';
import type { Handlers, LayerName } from '../../../src/rules/rule.js';
import { Frame, MAX_LAYERS, Status } from '../../../src/wire/frame.js';
import { Protocol } from '../../../src/wire/protocol.js';

/** A frame with these layers, as decoding would leave it. */
function frameOf(kinds: number[], { quotedFrom = MAX_LAYERS, status = Status.Ok as number } = {}): Frame {
  const frame = new Frame();
  frame.kinds.set(kinds);
  frame.layerCount = kinds.length;
  frame.quotedFrom = quotedFrom;
  if (kinds.length > 0) frame.statuses[kinds.length - 1] = status;
  frame.close();
  return frame;
}

/** Rules that write down who was called with what. */
function noisyRules(count: number, layers: LayerName[]): { rules: Handlers[]; calls: string[] } {
  const calls: string[] = [];
  const rules = Array.from({ length: count }, (_, rule): Handlers => {
    const wanted = layers.filter((_, i) => (rule + i) % 3 !== 0);
    const events = EVENT_NAMES.filter((_, i) => (rule + i) % 2 === 0);
    return {
      layers: Object.fromEntries(
        wanted.map((name) => [name, (_: Frame, layer: number) => calls.push(`${rule} ${name} ${layer}`)]),
      ),
      events: Object.fromEntries(
        events.map((name) => [name, (...values: unknown[]) => calls.push(`${rule} ${name} ${values.join()}`)]),
      ),
      ...(rule % 2 === 0 && { captureEnd: (capture: number) => calls.push(`${rule} end ${capture}`) }),
    };
  });
  return { rules, calls };
}

const FRAMES = [
  frameOf([]),
  frameOf([Protocol.Ethernet, Protocol.Arp]),
  frameOf([
    Protocol.Ethernet,
    Protocol.Vlan,
    Protocol.Ipv4,
    Protocol.Udp,
    Protocol.Vxlan,
    Protocol.Ethernet,
    Protocol.Arp,
  ]),
  frameOf([Protocol.Ethernet, Protocol.Ipv4, Protocol.Icmp, Protocol.Ipv4, Protocol.Udp], { quotedFrom: 3 }),
  frameOf([Protocol.Ethernet, Protocol.Ipv4], { status: Status.TooShort }),
  frameOf([Protocol.Ethernet, Protocol.Ipv4, Protocol.Icmp, Protocol.Ipv4], { quotedFrom: 3, status: Status.Snapped }),
  frameOf([Protocol.Data]),
];

describe.each([
  ['plain', plainDispatcher],
  ['generated', generatedDispatcher],
])('%s dispatch', (_, dispatcher) => {
  it('delivers every header of the kinds asked for, outermost first', () => {
    const seen: number[] = [];
    const { layers } = dispatcher([{ layers: { Ethernet: (_, layer) => seen.push(layer) } }]);
    layers(FRAMES[2]);
    expect(seen).toEqual([0, 5]);
  });

  it('delivers neither quoted headers nor such as could not be read', () => {
    const seen: string[] = [];
    const { layers } = dispatcher([
      { layers: { Ipv4: (_, layer) => seen.push(`ipv4 ${layer}`), Udp: (_, layer) => seen.push(`udp ${layer}`) } },
    ]);
    for (const frame of FRAMES.slice(3, 6)) layers(frame);
    expect(seen).toEqual(['ipv4 1', 'ipv4 1']);
  });

  it('calls rules in their order, with all arguments of an event', () => {
    const seen: unknown[] = [];
    const { events, captureEnd } = dispatcher([
      { events: { sameMac: (...values) => seen.push(values) } },
      { events: { sameMac: (_, layer) => seen.push(layer), unanswered: (row) => seen.push(row) } },
      { captureEnd: (capture) => seen.push(`end ${capture}`) },
    ]);
    events.sameMac(FRAMES[1], 7, 8, true);
    events.unanswered(9);
    events.copied(1, FRAMES[1], 2);
    captureEnd(2);
    expect(seen).toEqual([[FRAMES[1], 7, 8, true], 7, 9, 'end 2']);
  });

  it('does nothing without rules', () => {
    const { layers, events, captureEnd } = dispatcher([]);
    for (const frame of FRAMES) layers(frame);
    for (const name of EVENT_NAMES) expect(events[name]).toBeTypeOf('function');
    captureEnd(0);
  });
});

describe('generated dispatch', () => {
  it.each([1, 2, 7, 40])('makes the same calls in the same order as plain dispatch: %i rules', (count) => {
    const layers: LayerName[] = ['Ethernet', 'Arp', 'Ipv4', 'Icmp', 'Udp', 'Vxlan'];
    const transcripts = [plainDispatcher, generatedDispatcher].map((dispatcher) => {
      const { rules, calls } = noisyRules(count, layers);
      const dispatch = dispatcher(rules);
      for (const [i, frame] of FRAMES.entries()) {
        dispatch.layers(frame);
        (dispatch.events[EVENT_NAMES[i % EVENT_NAMES.length]] as (...values: unknown[]) => void)(
          i,
          i + 1,
          i + 2,
          i + 3,
        );
      }
      dispatch.captureEnd(0);
      return calls;
    });
    expect(transcripts[1]).toEqual(transcripts[0]);
    expect(transcripts[0].length).toBeGreaterThan(0);
  });
});
