import type { Remedy, Trail } from '../../rules/rule.js';
import { capturesListed } from './names.js';

/** Two places on the way, by the names of their captures: what the first shows the second lacks. */
export interface Stretch {
  readonly lost: 'requests' | 'answers';
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** How the machine is found that loses requests or answers between two places, and what is to be looked at there. */
export function searchBetween(trail: Trail, { lost, from, to }: Stretch): Remedy[] {
  return [
    {
      text: `Try it again and watch each machine and switch on the way from ${capturesListed(from, 'or')} to ${capturesListed(to, 'or')}, in this order: where the ${lost} come in and do not go out, they are lost`,
      commands: [`tcpdump -eni any '${trail.watch}'`],
    },
    trail.of === 'pings' || trail.of === 'handshakes'
      ? {
          text: `There: where it sends ${lost} on to, what it filters, and whether it takes packets only from where it would send to`,
          commands: [
            `ip route get ${lost === 'answers' ? trail.asker : trail.target}`,
            'nft list ruleset',
            'nstat -az TcpExtIPReversePathFilter',
          ],
        }
      : {
          text:
            lost === 'answers' && trail.mac
              ? `There: behind which port it has ${trail.mac}, which VLANs its ports carry, and what it filters`
              : 'There: the state of its ports, which VLANs they carry, and what it filters',
          commands: [
            lost === 'answers' && trail.mac ? `bridge fdb show | grep -i ${trail.mac}` : 'bridge -d link show',
            'bridge vlan show',
            'nft list ruleset',
          ],
        },
  ];
}

/** What to capture next, so that there is less between two places. */
export function captureBetween({ lost, from, to }: Stretch): string {
  return `a capture on the way from ${capturesListed(from, 'or')} to ${capturesListed(to, 'or')}: how far do the ${lost} get?`;
}

/** What to capture next where several places show requests, and none an answer. */
export function captureBeyond({ target }: Trail, places: readonly string[]): string {
  return `a capture nearer to ${target} than ${capturesListed(places)}, if there is a place: do the requests arrive there, and do answers leave?`;
}
