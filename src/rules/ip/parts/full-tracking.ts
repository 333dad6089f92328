import type { FullTable } from '../../parts/full-table.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';

/** Requests that a router drops because it has no room to keep track of them. */
export function notTracked(members: readonly Vanished[], key: string, full: FullTable, router: string): Diagnosis {
  const [{ from, to }] = members;
  const more = members.length > 1 ? ` and ${members.length - 1} more` : '';
  return {
    ...together(members),
    ...full,
    key,
    title: `${router} has no room for new connections: ${from} to ${to}${more} end there`,
    summary:
      `${from} sends to ${to} through ${router}. The packets go there and are not passed on, and no ICMP error says why. ` +
      'It passes on what it keeps track of already, and has no room for more.',
    subject: { router, source: from, destination: to },
  };
}
