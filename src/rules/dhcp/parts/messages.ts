import type { Device } from '../../../network/context/device.js';
import { addressValue, BROADCAST, type Flow } from '../../../network/context/netfilter/packet.js';

/** Ports of servers and of clients (RFC 2131 section 4.1). */
const SERVER_PORT = 67;
export const CLIENT_PORT = 68;

/** What a client without an address sends. */
export const DISCOVER: Flow = {
  isIpv4: true,
  protocol: 'udp',
  source: 0,
  destination: BROADCAST,
  sourcePort: CLIENT_PORT,
  destinationPort: SERVER_PORT,
};

/** What a server, at this device if it is known, answers a client whose address it has just chosen. */
export function offerOf(device: Device | null): Flow {
  const own = device?.addresses.filter(({ family }) => family === 4) ?? [];
  return {
    ...DISCOVER,
    source: own.length === 1 ? addressValue(own[0].words) : null,
    destination: null,
    sourcePort: SERVER_PORT,
    destinationPort: CLIENT_PORT,
  };
}
