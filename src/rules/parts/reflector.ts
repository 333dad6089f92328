import type { Network } from '../../network/network.js';

/** Whether the host context says that the switch port of the place of capture reflects. */
export function isAtReflector({ context, vantage }: Network): boolean {
  return context !== null && vantage !== null && context.reflectiveRelay(vantage) === 'on';
}
