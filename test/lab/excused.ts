import type { Deviation } from './deviations.js';
import type { Shown } from './recorded.js';
import type { Variation } from './variations.js';

interface Excuse {
  /** What the variation's name begins with. */
  variation: string;
  /** Where, as the capture's name begins; everywhere if left out. */
  at?: string;
  /** Rules, or problems as the truth names them; all of `kinds` if left out. */
  what?: readonly string[];
  kinds?: readonly Deviation['kind'][];
  why: string;
}

/** What variations rightly change, with the reason. */
export const EXCUSED: readonly Excuse[] = [
  ...['0.97 times', '1.03 times'].map((variation) => ({
    variation,
    what: ['capture/time-disorder'],
    why: 'steps back in time are as much longer or shorter as the pauses',
  })),
  {
    variation: '0.97 times',
    at: 'A-macvlan/seed-garp-local-route-missing/',
    what: ['arp/announcement-repeated', 'arp/self-resolution', 'self-addressed-arp'],
    why: 'the timer by which a kernel is told from a program never fires early: 1.01 s become 0.98',
  },
  ...['0.8 times', '1.25 times'].map((variation) => ({
    variation,
    kinds: ['lost', 'fainter'] as const,
    why: "questions at other pauses than a kernel's prove nothing to a bystander, nor do a DHCP client's or pings' before their time",
  })),
  ...['addresses reversed, MACs of manufacturers', 'other private nets'].map((variation) => ({
    variation,
    at: 'A-macvlan/',
    what: ['ethernet/reflection'],
    why: 'without directions a relay and a tap look alike; what is doubled of two manufacturers’ MACs is called a tap’s',
  })),
  ...['directions known', 'SLL'].map((variation) => ({
    variation,
    at: 'I-tcp/netem-duplicate/',
    what: ['ip/duplicate-datagrams'],
    why: 'netem doubles what comes in there: so it is, and directions show it',
  })),
  {
    variation: 'SLL',
    what: [
      'dhcp-discover-unanswered',
      'duplicate-mac',
      'identical-src-dst-mac',
      'nat-hairpin-needed',
      'nat-loopback-asymmetry',
      'reply-lost-on-the-way-back',
    ],
    why: 'a cooked header has no destination MAC, and tells of a capture on any device nothing of the others',
  },
  {
    variation: 'SLL2 as SLL',
    what: ['broadcast-storm', 'rp-filter-drop'],
    why: 'LINUX_SLL does not tell devices apart: what each of them shows is no copy',
  },
  ...['96 bytes', '128 bytes'].flatMap((variation) => [
    { variation, at: 'E-dhcp/', kinds: ['lost', 'fainter'] as const, why: 'the options of DHCP are cut off' },
    { variation, at: 'B-ipvlan/dhcp-', kinds: ['lost', 'fainter'] as const, why: 'the options of DHCP are cut off' },
    { variation, what: ['multiple-ra'], why: 'the prefixes of router advertisements are cut off' },
  ]),
  {
    variation: 'cut start',
    at: 'C-bridge/arp-spoof/',
    what: ['arp-spoof', 'duplicate-ip'],
    why: 'answers are called unasked only where a question for the address shows that questions would be seen',
  },
  {
    variation: 'cut start',
    kinds: ['lost', 'fainter'],
    what: [
      'dhcp-pool-exhausted',
      'duplicate-lease',
      'icmp-echo-unanswered',
      'ipvlan-l3-no-return-route',
      'mtu-black-hole',
      'tcp-retransmission',
    ],
    why: 'what came before is part of the proof: that another client was served, discovers, other senders and addresses, what passed, what was sent first',
  },
  {
    variation: 'cut start',
    at: 'D-vxlan/one-way-',
    what: ['vxlan/one-way'],
    why: 'so it is; before, frames that are missing now made it a hint',
  },
  {
    variation: 'twice',
    at: 'F-routing/asymmetric-stateful-drop/',
    what: ['synack-lost'],
    why: 'the same connection begins again with the same sequence numbers, as none does',
  },
  {
    variation: 'twice',
    at: 'A-macvlan/seed-garp-',
    what: ['arp/self-resolution'],
    why: 'three requests of a kernel for its own address look like announcements; three more with its pauses do not',
  },
  {
    variation: 'twice',
    at: 'D-vxlan/fragments-dropped/',
    what: ['mtu/black-hole'],
    why: 'twice as many large packets vanish, and small ones do not: so it is',
  },
  {
    variation: 'twice',
    at: 'I-tcp/pmtud-healthy/',
    what: ['mtu/fragmentation-needed'],
    why: 'the host sends large packets again although it was told the smaller size 90 s before, and a kernel keeps that for 600 s',
  },
  {
    variation: 'mirrored',
    at: 'B-ipvlan/',
    what: ['ethernet/same-mac', 'vepa-no-hairpin'],
    why: 'all frames are from one host: that each is there twice may as well be a relay that sends them back',
  },
  {
    variation: 'in a tunnel',
    what: ['vxlan/one-way'],
    why: 'a question in vain is all that is in the tunnel: whether its other end is deaf or nobody has the address shows elsewhere',
  },
  {
    variation: 'in a tunnel',
    what: ['identical-src-dst-mac'],
    why: 'that frames come back to where they came from cannot be told of those inside a tunnel',
  },
];

export function isExcused({ name }: Variation, { at }: Shown, { what, kind }: Deviation): boolean {
  return EXCUSED.some(
    (each) =>
      name.startsWith(each.variation) &&
      at.startsWith(each.at ?? '') &&
      (each.what?.includes(what) ?? true) &&
      (each.kinds?.includes(kind) ?? true),
  );
}
