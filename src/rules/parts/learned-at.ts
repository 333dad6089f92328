import { macKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';

/** The bridge port behind which a hardware address was learned, as the host context shows it; null if at none, or on several machines. */
export function learnedAt(context: HostContext | null, hi: number, lo: number): Device | null {
  const key = macKey(hi, lo);
  const ports = (context?.devices ?? []).filter(
    ({ masterKind, learned }) => masterKind === 'bridge' && learned.has(key),
  );
  const [port] = ports;
  return port && ports.every(({ namespace }) => namespace === port.namespace) ? port : null;
}
