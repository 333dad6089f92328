import type { NetworkEvents } from '../../network/events.js';
import { EVENT_NAMES } from '../../network/events.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { Handlers, LayerHandler, LayerName } from '../rule.js';

/** Brings frames and network events to the handlers that asked for them, in the order of the rules. */
export interface Dispatcher {
  /** To be called once a frame, after it was decoded and observed: brings its readable layers to who asked for them. */
  layers(frame: Frame): void;
  /** The listener to give to the network. */
  readonly events: NetworkEvents;
  /** To be called after the last frame of a capture and the events that its end raised. */
  captureEnd(capture: number): void;
}

/** Handlers of one layer kind or one event, in the order of the rules. */
type Subscription<Name extends string> = {
  readonly name: Name;
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own signature; here only the number of handlers matters
  readonly handlers: ((...values: any[]) => void)[];
};

export interface Subscriptions {
  /** Only kinds with at least one handler. */
  readonly layers: (Subscription<LayerName> & { readonly kind: number })[];
  /** All events, those without a handler too. */
  readonly events: Subscription<keyof NetworkEvents>[];
  readonly captureEnd: ((capture: number) => void)[];
}

/** Turns handlers by rule into handlers by layer kind and by event. */
export function subscriptions(rules: readonly Handlers[]): Subscriptions {
  const byName = new Map<LayerName, LayerHandler[]>();
  for (const { layers = {} } of rules) {
    for (const [name, handler] of Object.entries(layers) as [LayerName, LayerHandler][]) {
      byName.set(name, [...(byName.get(name) ?? []), handler]);
    }
  }
  return {
    layers: [...byName].map(([name, handlers]) => ({ name, kind: Protocol[name], handlers })),
    events: EVENT_NAMES.map((name) => ({ name, handlers: rules.flatMap(({ events }) => events?.[name] ?? []) })),
    captureEnd: rules.flatMap(({ captureEnd }) => captureEnd ?? []),
  };
}
