/** The program that makes netfilter rules for the family of an address, given as text. */
export function iptablesFor(address: string): string {
  return address.includes(':') ? 'ip6tables' : 'iptables';
}

/** A command that makes TCP through a router learn the MTU of the path from the start. */
export function clampFor(address: string): string {
  return `${iptablesFor(address)} -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`;
}

/** A command that lets in, or through, what tells an MTU (ICMP 3/4, ICMPv6 2). */
export function letTooBigPass(address: string, chain: 'INPUT' | 'FORWARD'): string {
  const message = address.includes(':')
    ? '-p icmpv6 --icmpv6-type packet-too-big'
    : '-p icmp --icmp-type fragmentation-needed';
  return `${iptablesFor(address)} -I ${chain} ${message} -j ACCEPT`;
}
