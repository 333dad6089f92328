import type { NetworkEvents } from '../../network/events.js';
import { PROTOCOL_COUNT } from '../../wire/protocol.js';
import type { Handlers, LayerHandler } from '../rule.js';
import { type Dispatcher, subscriptions } from './dispatch.js';

/**
 * Dispatch as one would write it: loops over lists of handlers. It says what dispatch means; the
 * generated one has to give the same findings.
 */
export function plainDispatcher(rules: readonly Handlers[]): Dispatcher {
  const { layers, events, captureEnd } = subscriptions(rules);
  const byKind: (LayerHandler[] | null)[] = new Array(PROTOCOL_COUNT).fill(null);
  for (const { kind, handlers } of layers) byKind[kind] = handlers;

  const listener = Object.fromEntries(
    events.map(({ name, handlers }) => [
      name,
      (...values: unknown[]) => {
        for (const handler of handlers) handler(...values);
      },
    ]),
  ) as unknown as NetworkEvents;

  return {
    layers(frame) {
      const count = frame.readable;
      for (let layer = 0; layer < count; layer++) {
        const handlers = byKind[frame.kinds[layer]];
        if (handlers !== null) for (const handler of handlers) handler(frame, layer);
      }
    },
    events: listener,
    captureEnd(capture) {
      for (const handler of captureEnd) handler(capture);
    },
  };
}
