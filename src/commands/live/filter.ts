import { libpcap } from '../../capture/filter/libpcap.js';
import { insideNamespace } from '../../capture/live/namespace.js';

/**
 * Compiles a filter for each device that is captured on, for the kernel to run.
 * @throws FilterError (from what is returned) with libpcap's words if the expression is wrong
 */
export function filterCompiler(expression: string | undefined, netns: string | null, snapLength: number) {
  return (device: string | null): unknown => {
    if (expression === undefined) return null;
    return insideNamespace(netns, () => libpcap(expression).compileFor(device, expression, snapLength));
  };
}
