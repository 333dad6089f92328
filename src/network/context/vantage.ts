import { closest } from 'fastest-levenshtein';
import type { Device } from './device.js';
import { ContextError } from './error.js';
import type { HostContext } from './host-context.js';

/** libpcap's name for all devices of a namespace at once. */
const ALL_DEVICES = 'any';

/**
 * The device that `<namespace>/<interface>` names; null for `<namespace>/any`, which is all of them.
 *
 * @throws ContextError with the nearest name if the context has no such device
 */
export function resolveVantage(context: HostContext, text: string): Device | null {
  const slash = text.lastIndexOf('/');
  const namespace = text.slice(0, Math.max(0, slash));
  const name = text.slice(slash + 1);
  const device = context.device(namespace, name);
  if (device) return device;
  if (name === ALL_DEVICES && context.namespaces.has(namespace)) return null;
  const names = context.devices.map(({ namespace, name }) => `${namespace}/${name}`);
  if (names.length === 0) throw new ContextError(`no device "${text}"`, 'the host context names no devices at all');
  throw new ContextError(`no device "${text}" in the host context`, `did you mean ${closest(text, names)}?`);
}
