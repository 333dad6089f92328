import type { Frame } from '../wire/frame.js';

/**
 * The rare events that rules live on. Arguments are rows of the network's tables and, where a frame is at
 * hand, the frame; a handler reads what it needs and keeps nothing of the frame.
 */
export interface NetworkEvents {
  /**
   * A resolution run has waited in vain. Raised a second after the third request, when the run ends or is
   * followed by another, and at the end of the capture, then for runs of two requests too. Row of `resolutions`.
   */
  unanswered(resolution: number): void;
  /** An answer came, in time for its last request, for a run that was told as unanswered. Row of `resolutions`. */
  answered(resolution: number): void;
  /** A retry's pause after an answered request it was asked again, for the 1st, 2nd … time. Row of `resolutions`. */
  askedAgain(resolution: number): void;
  /** A neighbour was asked by unicast three times, as a kernel does that knows it, and did not answer. Row of `refreshes`. */
  neighborLost(refresh: number): void;
  /** It answered soon after that. Row of `refreshes`. */
  neighborBack(refresh: number): void;
  /** A station announced an address for the second time within ten seconds. Row of `announcements`. */
  announced(announcement: number): void;
  /** ARP came whose sender hardware address is not the source of its frame, for the 1st, 2nd, 4th … time. Row of `arpSenders`. */
  arpFromOther(sender: number): void;
  /** A probe (ARP with spa 0) was answered. Row of `probes`. */
  probeAnswered(probe: number): void;
  /** Two stations advertise one IPv6 address after one solicitation. Row of `neighborHolders`. */
  neighborDoubled(holder: number): void;
  /** Another station wants the address that a probe asks for, or claims it. Row of `probes`. */
  probeRivalled(probe: number): void;
  /** Duplicate address detection found another station with the address, or one that wants it too. Row of `dadProbes`. */
  dadAnswered(probe: number): void;
  /** An IPv6 router advertised itself for the first time, or with a new prefix or lifetime. Row of `routers`. */
  routerAdvertised(router: number): void;
  /** Claims of an address alternate, A-B-A within a minute. Rows of `bindings`: this claimant, the rival; row of `claims`. */
  contested(binding: number, rival: number, claim: number): void;
  /** Two answers with different sha to one request within two seconds. Rows as above. */
  doublyAnswered(binding: number, rival: number, claim: number): void;
  /** A station answers for an address again and again though nobody asked, and another one holds it. Rows as above. */
  usurped(binding: number, rival: number, claim: number): void;
  /** Who took an address over announces it again, and who had it has sent packets from it meanwhile, for the 1st, 2nd … time. Rows as above. */
  disregarded(binding: number, rival: number, claim: number, times: number): void;
  /** The 2nd, 4th, 8th … packet for an address that moved went to the station that had it before. Row of senders in `moves`. */
  sentToOld(sender: number): void;
  /** The 4th, 8th, 16th … IP packet in a row went to a former master of a virtual router (VRRP) and got no answer, or that is over. Row of `strays`. */
  strayed(sender: number): void;
  /** A frame came again, byte for byte, at the same port. Slot of `copies`; base segment of the port. */
  copied(copy: number, frame: Frame, base: number): void;
  /** A unicast Ethernet header names one address as source and destination. `isCopy`: the frame was seen just before. */
  sameMac(frame: Frame, layer: number, segment: number, isCopy: boolean): void;
  /** The source of an Ethernet header is a group address or zero. */
  invalidSource(frame: Frame, layer: number): void;
  /** A question to a DNS server by UDP, or what comes from its port: a UDP header in `layer`. */
  dns(frame: Frame, layer: number): void;
  /** A group-addressed frame came in whose source is a station that this machine sends for, and it is no copy. Row of `stations`. */
  ownMac(frame: Frame, station: number): void;
  /** A VXLAN tunnel carried its 1st, 2nd, 4th, 8th … frame. Row of `tunnels`. */
  tunnelled(tunnel: number): void;
  /** A station’s frames entered by another port than before and back again, within a minute. Row of `locations`. */
  moved(location: number): void;
  /** The 1st, 2nd, 4th … question asked inside a tunnel stayed unanswered. Segment that the tunnel carries. */
  unansweredInside(inner: number): void;
  /** An ICMP error quotes VXLAN, for the 1st, 2nd, 4th … time. Row of `tunnelErrors`. */
  tunnelRefused(error: number): void;
  /** The 2nd, 4th, 8th … frame for a station inside VXLAN went to an endpoint where it was not heard. Row of `tunnelStations`. */
  misdirected(station: number): void;
  /** A station inside VXLAN is heard from another endpoint than before (row of `addresses`), by the Ethernet header in `layer`. Row of `tunnelStations`. */
  movedInTunnel(station: number, before: number, frame: Frame, layer: number): void;
  /** The 1st, 2nd, 4th … datagram of a flow stayed without some of its fragments. Flow of `fragments`. */
  fragmentsLost(flow: number): void;
  /** Four echo requests of one size, and then 8, 16 …, met no reply. Row of `echoes`. */
  echoesUnanswered(echo: number): void;
  /** An ICMP error says that packets are too big, for the 1st, 2nd, 4th … time, or the sender pays no heed. Row of `pathMtus`. */
  tooBig(path: number): void;
  /** Requests of a ping met no reply: the 2nd, 4th … is lost for good, or the capture ended. Row of `pings`. */
  pingLost(ping: number): void;
  /** A ping got its 1st, 2nd, 4th … reply, whose ICMP header is in `layer`. Row of `pings`. */
  pingAnswered(ping: number, frame: Frame, layer: number): void;
  /** A ping was answered by an address that was not asked, for the 1st, 2nd, 4th … time. Row of `pings`. */
  strangeReply(ping: number): void;
  /** The 1st, 2nd, 4th … echo request of a ping was answered twice. Row of `doubleReplies`. */
  answeredTwice(ping: number): void;
  /** An ICMP error or redirect came, not one about sizes, for the 1st, 2nd, 4th … time. Row of `icmpErrors`. */
  icmpError(error: number): void;
  /** The 1st, 2nd, 4th … datagram goes round between routers, or the capture ended. Row of `routingLoops`. */
  looped(loop: number): void;
  /** A DHCP message, told once however many ports it passes. Row of `leases.exchanges`; the message's type. */
  leased(exchange: number, type: number): void;
  /** A DHCP relay asked in vain for the 3rd, 4th, 8th … time, or got a first answer, or a first one for another subnet. Row of `relays`. */
  relayed(relay: number): void;
  /** The 64th, 128th … frame in a row went to a station that is not heard, or the capture ended. Row of `unheard`. */
  unheard(row: number): void;
  /** A frame had a priority tag or a tag inside a tag, for the 1st, 2nd, 4th … time. Row of `tags`. */
  tagged(tag: number): void;
  /**
   * SYNs or SYN-ACKs are repeated in vain, for the 3rd, 4th, 8th … time or when the capture ends for the 2nd, a SYN was
   * refused, or what was told so of an attempt has changed. Row of `handshakes`.
   */
  connecting(handshake: number): void;
  /** Two masters of one virtual router (VRRP) went on for 3, 4, 8 … intervals though each spoke between the words of the other. Row of `virtualRouters`. */
  mastersMet(router: number): void;
  /** A TCP sender repeated data for the 3rd, 4th, 8th … time, or the capture ended. Row of `retransmissions`. */
  retransmitted(stream: number): void;
  /** One TCP segment was repeated for the 3rd, 4th, 8th … time, or passed after all. Row of `retransmissions`. */
  stalled(stream: number): void;
  /** A TCP receiver told a window of 0 for 0.2 s and longer, or such a one opened. Row of `windows`. */
  windowClosed(stream: number): void;
  /** A TCP connection that was up was reset, or its sender goes on after that. Row of `resets`. */
  connectionReset(stream: number): void;
}

export const EVENT_NAMES = [
  'unanswered',
  'answered',
  'askedAgain',
  'neighborLost',
  'neighborBack',
  'announced',
  'arpFromOther',
  'probeAnswered',
  'neighborDoubled',
  'probeRivalled',
  'dadAnswered',
  'routerAdvertised',
  'contested',
  'doublyAnswered',
  'usurped',
  'disregarded',
  'sentToOld',
  'strayed',
  'copied',
  'sameMac',
  'invalidSource',
  'dns',
  'ownMac',
  'tunnelled',
  'moved',
  'unansweredInside',
  'tunnelRefused',
  'misdirected',
  'movedInTunnel',
  'fragmentsLost',
  'echoesUnanswered',
  'tooBig',
  'pingLost',
  'pingAnswered',
  'strangeReply',
  'answeredTwice',
  'icmpError',
  'looped',
  'leased',
  'relayed',
  'unheard',
  'tagged',
  'connecting',
  'mastersMet',
  'retransmitted',
  'stalled',
  'windowClosed',
  'connectionReset',
] as const satisfies readonly (keyof NetworkEvents)[];
