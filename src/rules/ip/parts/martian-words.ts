/** Why a packet has no business where it is. */
export type Reason = 'loopback' | 'zero' | 'group' | 'link-local' | 'to-loopback';

interface Who {
  sender: string;
  source: string;
  destination: string;
}

const FILTER = 'iptables -A OUTPUT -s 127.0.0.0/8 ! -o lo -j DROP';

/** How each reason is told. */
export const WORDS: Readonly<
  Record<
    Reason,
    (who: Who) => { title: string; says: string; cause: string; remedy: { text: string; commands: string[] }[] }
  >
> = {
  loopback: ({ sender, source }) => ({
    title: `${sender} sends packets from the loopback address ${source}`,
    says: 'A loopback address means the machine itself and must never leave it (RFC 1122 section 3.2.1.3).',
    cause:
      'A destination was translated (DNAT) away from 127.0.0.1 and the source was not (route_localnet), or a program is bound to 127.0.0.1.',
    remedy: [
      {
        text: `On ${sender}: translate the source too, until the next restart`,
        commands: ['iptables -t nat -A POSTROUTING -s 127.0.0.0/8 ! -o lo -j MASQUERADE'],
      },
      { text: 'Or keep them in', commands: ['sysctl -w net.ipv4.conf.all.route_localnet=0', FILTER] },
    ],
  }),
  'to-loopback': ({ sender, destination }) => ({
    title: `${sender} sends packets for the loopback address ${destination} out`,
    says: 'A loopback address means the machine itself and must never leave it (RFC 1122 section 3.2.1.3).',
    cause:
      'The loopback device of the sender, or of its namespace, is down: then its default route takes 127.0.0.1 too.',
    remedy: [
      {
        text: `On ${sender}, in its namespace: is lo up? Set it up`,
        commands: ['ip link show lo', 'ip link set lo up'],
      },
    ],
  }),
  zero: ({ sender, source }) => ({
    title: `${sender} sends packets from ${source}, which is no host's address`,
    says: 'Addresses of network 0 mean "this network" and are for hosts that have none yet (RFC 1122 section 3.2.1.3).',
    cause: 'The sender has no address on the device, and a program sends all the same.',
    remedy: [{ text: `On ${sender}: see which address it has`, commands: ['ip -br addr'] }],
  }),
  group: ({ sender, source }) => ({
    title: `${sender} sends packets from ${source}, a group address`,
    says: 'A multicast or broadcast address is never a source (RFC 1112 section 7.2, RFC 4291 section 2.7): no answer to it would arrive at one host.',
    cause:
      'Source and destination were mixed up: by a program with raw sockets, by address translation, or on purpose.',
    remedy: [
      {
        text: `On ${sender}: find the program, and look at what translates`,
        commands: ['nft list ruleset', 'ss -xwnp'],
      },
    ],
  }),
  'link-local': ({ sender, source, destination }) => ({
    title: `${sender} forwards packets from the link-local address ${source}`,
    says: 'The TTL is not one that systems start with: a router passed the packet on, which it must not with these addresses (RFC 3927 section 7).',
    cause: `The host behind it has no address but its link-local one (DHCP failed), and a router forwards what it sends to ${destination}.`,
    remedy: [
      {
        text: `On the host with ${source}: see why it has no other address`,
        commands: ['ip -br addr', 'journalctl -u systemd-networkd -b'],
      },
      {
        text: `On ${sender}: do not forward them`,
        commands: ['iptables -I FORWARD -s 169.254.0.0/16 -j DROP'],
      },
    ],
  }),
};
