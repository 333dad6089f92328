import { announcementRepeated } from './arp/announcement-repeated.js';
import { duplicateAddress } from './arp/duplicate-address.js';
import { flux } from './arp/flux.js';
import { gatewayUnanswered } from './arp/gateway-unanswered.js';
import { linkLocalGatewayUnanswered } from './arp/link-local-gateway-unanswered.js';
import { neighborLost } from './arp/neighbor-lost.js';
import { offSubnetTarget } from './arp/off-subnet-target.js';
import { probeAnswered } from './arp/probe-answered.js';
import { proxy } from './arp/proxy.js';
import { replyNotAccepted } from './arp/reply-not-accepted.js';
import { selfResolution } from './arp/self-resolution.js';
import { senderMismatch } from './arp/sender-mismatch.js';
import { spoof } from './arp/spoof.js';
import { staleAfterMove } from './arp/stale-after-move.js';
import { storm } from './arp/storm.js';
import { unanswered } from './arp/unanswered.js';
import { vipFlip } from './arp/vip-flip.js';
import { addressOnPort } from './bridge/address-on-port.js';
import { filterDropsIp } from './bridge/filter-drops-ip.js';
import { hairpinMissing } from './bridge/hairpin-missing.js';
import { lacpPartnerSilent } from './bridge/lacp-partner-silent.js';
import { loop } from './bridge/loop.js';
import { portIsolated } from './bridge/port-isolated.js';
import { portNotEnslaved } from './bridge/port-not-enslaved.js';
import { portNotForwarding } from './bridge/port-not-forwarding.js';
import { promiscuousDuplicates } from './bridge/promiscuous-duplicates.js';
import { cooked } from './capture/cooked.js';
import { damagedFile } from './capture/damaged-file.js';
import { droppedFrames } from './capture/dropped-frames.js';
import { duplicatedByTap } from './capture/duplicated-by-tap.js';
import { filterTooNarrow } from './capture/filter-too-narrow.js';
import { ipvlanHalfView } from './capture/ipvlan-half-view.js';
import { mirrored } from './capture/mirrored.js';
import { offloadChecksums } from './capture/offload-checksums.js';
import { offloadSuperframes } from './capture/offload-superframes.js';
import { oneDirection } from './capture/one-direction.js';
import { snappedFrames } from './capture/snapped-frames.js';
import { timeDisorder } from './capture/time-disorder.js';
import { vlanStripped } from './capture/vlan-stripped.js';
import { badChecksum as dhcpBadChecksum } from './dhcp/bad-checksum.js';
import { decline } from './dhcp/decline.js';
import { multipleServers } from './dhcp/multiple-servers.js';
import { nak } from './dhcp/nak.js';
import { noOffer } from './dhcp/no-offer.js';
import { offerIgnored } from './dhcp/offer-ignored.js';
import { poolExhausted } from './dhcp/pool-exhausted.js';
import { relayMismatch } from './dhcp/relay-mismatch.js';
import { sharedHardwareAddress } from './dhcp/shared-hardware-address.js';
import { duplicateMac } from './ethernet/duplicate-mac.js';
import { invalidSource } from './ethernet/invalid-source.js';
import { macFlap } from './ethernet/mac-flap.js';
import { ownMacReceived } from './ethernet/own-mac-received.js';
import { reflection } from './ethernet/reflection.js';
import { sameMac } from './ethernet/same-mac.js';
import { unknownUnicastFlood } from './ethernet/unknown-unicast-flood.js';
import { echoUnanswered } from './icmp/echo-unanswered.js';
import { redirect } from './icmp/redirect.js';
import { timeExceeded } from './icmp/time-exceeded.js';
import { unreachable } from './icmp/unreachable.js';
import { asymmetricPath } from './ip/asymmetric-path.js';
import { duplicateDatagrams } from './ip/duplicate-datagrams.js';
import { floatingAddressUnowned } from './ip/floating-address-unowned.js';
import { martian } from './ip/martian.js';
import { noReturnRoute } from './ip/no-return-route.js';
import { notForwarded } from './ip/not-forwarded.js';
import { replyFromWrongAddress } from './ip/reply-from-wrong-address.js';
import { reversePathFiltered } from './ip/reverse-path-filtered.js';
import { routingLoop } from './ip/routing-loop.js';
import { snatMissing } from './ip/snat-missing.js';
import { wrongNextHop } from './ip/wrong-next-hop.js';
import { hostIsolation as ipvlanHostIsolation } from './ipvlan/host-isolation.js';
import { hostReplyAsymmetric } from './ipvlan/host-reply-asymmetric.js';
import { l3Unreachable } from './ipvlan/l3-unreachable.js';
import { l3VepaOnLink } from './ipvlan/l3-vepa-on-link.js';
import { manyAddresses } from './ipvlan/many-addresses.js';
import { siblingUnanswered } from './ipvlan/sibling-unanswered.js';
import { vepaNoReflection as ipvlanVepaNoReflection } from './ipvlan/vepa-no-reflection.js';
import { egressFiltered } from './macvlan/egress-filtered.js';
import { foreignMacBehindChild } from './macvlan/foreign-mac-behind-child.js';
import { hostIsolation } from './macvlan/host-isolation.js';
import { ingressFiltered } from './macvlan/ingress-filtered.js';
import { macLimit } from './macvlan/mac-limit.js';
import { passthruTakesParent } from './macvlan/passthru-takes-parent.js';
import { privateSibling } from './macvlan/private-sibling.js';
import { vepaNoReflection as macvlanVepaNoReflection } from './macvlan/vepa-no-reflection.js';
import { vmacNeedsPrivate } from './macvlan/vmac-needs-private.js';
import { badChecksum } from './mtu/bad-checksum.js';
import { blackHole } from './mtu/black-hole.js';
import { fragmentationNeeded } from './mtu/fragmentation-needed.js';
import { fragmentsIncomplete } from './mtu/fragments-incomplete.js';
import { linkMismatch } from './mtu/link-mismatch.js';
import { dadConflict } from './nd/dad-conflict.js';
import { dadReflected } from './nd/dad-reflected.js';
import { multicastFiltered } from './nd/multicast-filtered.js';
import { rogueRouter } from './nd/rogue-router.js';
import { unanswered as ndUnanswered } from './nd/unanswered.js';
import type { Rule } from './rule.js';
import { bigSegmentsStall } from './tcp/big-segments-stall.js';
import { refused } from './tcp/refused.js';
import { reset } from './tcp/reset.js';
import { retransmissions } from './tcp/retransmissions.js';
import { synUnanswered } from './tcp/syn-unanswered.js';
import { synackRepeated } from './tcp/synack-repeated.js';
import { zeroWindow } from './tcp/zero-window.js';
import { doubleTag } from './vlan/double-tag.js';
import { mtuShort } from './vlan/mtu-short.js';
import { nativeMismatch } from './vlan/native-mismatch.js';
import { priorityTag } from './vlan/priority-tag.js';
import { subnetAcrossVlans } from './vlan/subnet-across-vlans.js';
import { tagMismatch } from './vlan/tag-mismatch.js';
import { tpidMismatch } from './vlan/tpid-mismatch.js';
import { splitBrain } from './vrrp/split-brain.js';
import { badInnerChecksum } from './vxlan/bad-inner-checksum.js';
import { groupMismatch } from './vxlan/group-mismatch.js';
import { innerMacNotReceiver } from './vxlan/inner-mac-not-receiver.js';
import { innerMtu } from './vxlan/inner-mtu.js';
import { innerTag } from './vxlan/inner-tag.js';
import { malformed } from './vxlan/malformed.js';
import { noFloodTarget } from './vxlan/no-flood-target.js';
import { oneWay } from './vxlan/one-way.js';
import { outerFragmented } from './vxlan/outer-fragmented.js';
import { portMismatch } from './vxlan/port-mismatch.js';
import { portUnreachable } from './vxlan/port-unreachable.js';
import { remoteUnreachable } from './vxlan/remote-unreachable.js';
import { staleFdb } from './vxlan/stale-fdb.js';
import { vniMismatch } from './vxlan/vni-mismatch.js';

/** All rules, in the order in which `netdiag rules` lists them. One line a rule. */
export const RULES: readonly Rule[] = [
  damagedFile,
  droppedFrames,
  snappedFrames,
  duplicatedByTap,
  offloadChecksums,
  offloadSuperframes,
  timeDisorder,
  oneDirection,
  cooked,
  vlanStripped,
  ipvlanHalfView,
  filterTooNarrow,
  mirrored,
  unanswered,
  gatewayUnanswered,
  announcementRepeated,
  selfResolution,
  duplicateAddress,
  probeAnswered,
  proxy,
  staleAfterMove,
  neighborLost,
  offSubnetTarget,
  senderMismatch,
  storm,
  linkLocalGatewayUnanswered,
  dadReflected,
  vipFlip,
  multicastFiltered,
  egressFiltered,
  ingressFiltered,
  macLimit,
  foreignMacBehindChild,
  vmacNeedsPrivate,
  passthruTakesParent,
  l3Unreachable,
  l3VepaOnLink,
  manyAddresses,
  hostReplyAsymmetric,
  replyNotAccepted,
  flux,
  spoof,
  rogueRouter,
  ownMacReceived,
  reflection,
  sameMac,
  macvlanVepaNoReflection,
  privateSibling,
  hostIsolation,
  ipvlanVepaNoReflection,
  siblingUnanswered,
  ipvlanHostIsolation,
  invalidSource,
  duplicateMac,
  macFlap,
  unknownUnicastFlood,
  loop,
  hairpinMissing,
  filterDropsIp,
  portNotForwarding,
  portIsolated,
  portNotEnslaved,
  addressOnPort,
  promiscuousDuplicates,
  lacpPartnerSilent,
  tagMismatch,
  nativeMismatch,
  doubleTag,
  tpidMismatch,
  priorityTag,
  mtuShort,
  subnetAcrossVlans,
  portUnreachable,
  portMismatch,
  remoteUnreachable,
  oneWay,
  vniMismatch,
  innerMacNotReceiver,
  staleFdb,
  badInnerChecksum,
  noFloodTarget,
  groupMismatch,
  outerFragmented,
  innerMtu,
  malformed,
  innerTag,
  fragmentationNeeded,
  blackHole,
  linkMismatch,
  fragmentsIncomplete,
  badChecksum,
  dhcpBadChecksum,
  sharedHardwareAddress,
  poolExhausted,
  relayMismatch,
  echoUnanswered,
  redirect,
  unreachable,
  timeExceeded,
  ndUnanswered,
  dadConflict,
  noOffer,
  offerIgnored,
  nak,
  multipleServers,
  decline,
  routingLoop,
  snatMissing,
  floatingAddressUnowned,
  notForwarded,
  noReturnRoute,
  reversePathFiltered,
  asymmetricPath,
  martian,
  replyFromWrongAddress,
  wrongNextHop,
  duplicateDatagrams,
  synUnanswered,
  synackRepeated,
  refused,
  bigSegmentsStall,
  retransmissions,
  zeroWindow,
  splitBrain,
  reset,
];
