import type { Frame } from '../wire/frame.js';
import type { Device } from './context/device.js';
import type { HostContext } from './context/host-context.js';
import type { NetworkEvents } from './events.js';

/** Placeholder until the tables land. */
export class Network {
  listener: NetworkEvents;
  readonly segments = {
    describe(_row: number) {
      return { capture: 0, interface: 0, deviceIndex: 0, vlans: [] as number[], vnis: [] as number[] };
    },
  };
  constructor(options: { context: HostContext | null; vantage: Device | null; listener: NetworkEvents }) {
    this.listener = options.listener;
  }
  observe(_frame: Frame): void {}
  endCapture(_capture: number): void {}
  tick(_time: number): void {}
}
