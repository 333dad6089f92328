import { type Libc, libc } from './libc.js';
import { insideNamespace } from './namespace.js';

/* Numbers of linux/socket.h, linux/net.h and linux/netlink.h. */
export const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const NETLINK_ROUTE = 0;

/**
 * A socket for rtnetlink(7) in a namespace, which does not wait; negative where the kernel refuses.
 * @param netns as `namespacePath` takes it, null for the namespace of the process
 * @throws NamespaceError
 */
export function routeSocket(netns: string | null, c: Libc = libc()): number {
  return insideNamespace(netns, () => c.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE));
}
