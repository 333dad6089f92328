import { closest } from 'fastest-levenshtein';
import type { Device } from './device.js';
import { ContextError } from './error.js';
import type { HostContext } from './host-context.js';

/**
 * The device that `<namespace>/<interface>` names.
 *
 * @throws ContextError with the nearest name if the context has no such device
 */
export function resolveVantage(context: HostContext, text: string): Device {
  const slash = text.lastIndexOf('/');
  const device = context.device(text.slice(0, Math.max(0, slash)), text.slice(slash + 1));
  if (device) return device;
  const names = context.devices.map(({ namespace, name }) => `${namespace}/${name}`);
  if (names.length === 0) throw new ContextError(`no device "${text}"`, 'the host context names no devices at all');
  throw new ContextError(`no device "${text}" in the host context`, `did you mean ${closest(text, names)}?`);
}
