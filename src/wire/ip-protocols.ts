import { Protocol } from './protocol.js';

/** IP protocol numbers that others compare with (IANA registry). */
export const IpProtocol = { Icmp: 1, Tcp: 6, Udp: 17, Icmpv6: 58 } as const;

/** The protocol that an IPv4 protocol field announces. */
export function protocolOfIp(number: number): Protocol {
  switch (number) {
    case 6:
      return Protocol.Tcp;
    case 17:
      return Protocol.Udp;
    case 1:
      return Protocol.Icmp;
    case 2:
      return Protocol.Igmp;
    case 4:
      return Protocol.Ipv4;
    case 41:
      return Protocol.Ipv6;
    case 47:
      return Protocol.Gre;
    case 112:
      return Protocol.Vrrp;
    case 137:
      return Protocol.Mpls;
    case 143:
      return Protocol.Ethernet;
    case 58:
      return Protocol.Icmpv6;
    default:
      return Protocol.Data;
  }
}

/** The protocol that an IPv6 next header field announces: as in IPv4, and the extension headers. */
export function protocolOfNextHeader(number: number): Protocol {
  switch (number) {
    case 0: // hop-by-hop options
    case 43: // routing
    case 44: // fragment
    case 51: // authentication
    case 60: // destination options
    case 135: // mobility
      return Protocol.Ipv6Extension;
    default:
      return protocolOfIp(number);
  }
}
