import { closeSync, openSync } from 'node:fs';
import { type Libc, libc } from './libc.js';
import { namespacePath } from './namespace.js';
import { routeSocket } from './netlink.js';

/*
 * A device whose other end is in another namespace names that by a number (`link_netnsid`), which each namespace gives as it
 * likes. The kernel tells the number of a namespace that it is shown (RTM_GETNSID, net/core/net_namespace.c); `ip netns list-id`
 * asks for those under /run/netns alone.
 */
const RTM_NEWNSID = 88;
const RTM_GETNSID = 90;
const NLM_F_REQUEST = 1;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;
/** struct nlmsghdr, struct rtgenmsg with its padding, and an attribute of four bytes. */
const HEADER = 16;
const ATTRIBUTES = HEADER + 4;
const LENGTH = ATTRIBUTES + 8;
const ROOM = 256;
const OWN = '/proc/self/ns/net';

/** A row as `ip -j netns list-id` writes it; null where no namespace that was named has the number. */
export interface NamespaceId {
  readonly nsid: number;
  readonly name: string | null;
}

/** A namespace, and the numbers in it that are asked about. */
export interface Numbered {
  /** As `namespacePath` takes it, null for the namespace of the process. */
  readonly netns: string | null;
  readonly name: string;
  readonly numbers: ReadonlySet<number>;
}

/**
 * What numbers stand for in each of some namespaces, by their names. A few system calls a number: nearly all lead to the
 * namespace of the process or from there, so that comes first. What may not be asked is left out.
 */
export function namespaceIds(namespaces: readonly Numbered[]): Map<string, NamespaceId[]> {
  const found = new Map<string, NamespaceId[]>();
  const files = new Map<string, number>();
  try {
    const inOrder = [...namespaces].sort((a, b) => Number(a.netns !== null) - Number(b.netns !== null));
    for (const { netns, name } of inOrder) {
      const file = opened(netns);
      if (file !== null) files.set(name, file);
    }
    for (const { netns, name, numbers } of namespaces) {
      const ids = numbers.size === 0 ? null : idsIn(netns, numbers, files);
      if (ids !== null) found.set(name, ids);
    }
  } finally {
    for (const file of files.values()) closeSync(file);
  }
  return found;
}

function opened(netns: string | null): number | null {
  try {
    return openSync(netns === null ? OWN : namespacePath(netns), 'r');
  } catch {
    return null;
  }
}

function idsIn(
  netns: string | null,
  numbers: ReadonlySet<number>,
  files: ReadonlyMap<string, number>,
): NamespaceId[] | null {
  const c = libc();
  let socket: number;
  try {
    socket = routeSocket(netns, c);
  } catch {
    return null;
  }
  if (socket < 0) return null;
  try {
    const names = new Map<number, string | null>([...numbers].map((number) => [number, null]));
    let left = numbers.size;
    for (const [name, file] of files) {
      if (left === 0) break;
      const nsid = numberOf(c, socket, file);
      if (nsid === null) return null;
      if (names.get(nsid) !== null) continue;
      names.set(nsid, name);
      left--;
    }
    return [...names].map(([nsid, name]) => ({ nsid, name }));
  } finally {
    c.close(socket);
  }
}

/** The number of the namespace of an open file in that of the socket; -1 where it has none, null where the kernel does not say. */
function numberOf(c: Libc, socket: number, file: number): number | null {
  const request = new Uint8Array(LENGTH);
  const out = new DataView(request.buffer);
  out.setUint32(0, LENGTH, true);
  out.setUint16(4, RTM_GETNSID, true);
  out.setUint16(6, NLM_F_REQUEST, true);
  out.setUint16(ATTRIBUTES, 8, true);
  out.setUint16(ATTRIBUTES + 2, NETNSA_FD, true);
  out.setUint32(ATTRIBUTES + 4, file, true);
  if (c.send(socket, request, LENGTH, 0) !== LENGTH) return null;
  const answer = new Uint8Array(ROOM);
  const length = c.recv(socket, answer, ROOM, 0);
  const view = new DataView(answer.buffer);
  if (length < LENGTH || view.getUint16(4, true) !== RTM_NEWNSID) return null;
  for (let at = ATTRIBUTES; at + 8 <= length; at += (view.getUint16(at, true) + 3) & ~3) {
    if (view.getUint16(at, true) < 4) return null;
    if (view.getUint16(at + 2, true) === NETNSA_NSID) return view.getInt32(at + 4, true);
  }
  return null;
}
