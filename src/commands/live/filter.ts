import { FilterError, libpcap } from '../../capture/live/libpcap.js';
import { insideNamespace } from '../../capture/live/namespace.js';
import { UserError } from '../errors.js';

/**
 * Compiles a filter for each device that is captured on.
 * @throws UserError (from what is returned) with libpcap's words if the expression is wrong
 */
export function filterCompiler(expression: string | undefined, netns: string | null, snapLength: number) {
  return (device: string | null): unknown => {
    if (expression === undefined) return null;
    try {
      return insideNamespace(netns, () => libpcap().compileFor(device, expression, snapLength));
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      const advice = error.isMissing
        ? 'install it (Debian: libpcap0.8), or leave the filter away'
        : 'see pcap-filter(7) for the language';
      throw new UserError(`--filter "${expression}"`, error.message, advice);
    }
  };
}
