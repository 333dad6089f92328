import type { Finding } from '../../findings/finding.js';

/** What only looks, behind what enters a namespace: first words, and for tools that do both what makes them change something. */
const LOOKING = [
  /^tcpdump (?!.*-w )/,
  /^(ping|traceroute|tracepath|nstat|ss|ndisc6|rdisc6|journalctl|dmesg|grep|cat|ls|sha256sum|netdiag) /,
  /^arping (?!.*-[AU]\b)/,
  /^ip (?!.* (add|append|del|delete|replace|change|set|flush)\b)/,
  /^bridge (?!.* (add|append|del|delete|replace|set)\b)/,
  /^sysctl (?!.*(-w|=))/,
  /^(nft (-a )?list|iptables-save|(ip6?|eb|arp)tables .*-(L|S|vnL)\b|conntrack -S|ethtool (-S|-k) |tc -s )/,
  /^(docker network inspect|kubectl .*\b(get|logs)\b(?!.*\bapply\b)|virsh net-list)/,
];

/** The heading above remedies: whether there is something to choose from, or these only find out more. */
export function remedyHeading(remedy: Finding['remedy']): string {
  const commands = remedy.flatMap((each) => each.commands);
  if (commands.length > 0 && commands.every(isLooking)) return 'Look';
  return remedy.length === 1 ? 'Do' : 'Do one of';
}

function isLooking(command: string): boolean {
  const bare = command.replace(/^(ip netns exec \S+|nsenter (-t \d+ -n|--net=\S+)) /, '');
  return LOOKING.some((form) => form.test(`${bare} `));
}
