import { type Libc, libc } from './libc.js';
import { AF_NETLINK, routeSocket } from './netlink.js';

/*
 * rtnetlink (rtnetlink(7)): the kernel tells of links, addresses, routes and settings that change. What it says is not
 * read, only that it said something: what is true then is asked anew.
 */
/** RTMGRP_ bits of the groups LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, IPV4_NETCONF, IPV6_NETCONF. */
const GROUPS = 1 | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 18) | (1 << 23) | (1 << 24);
/** Messages taken at one look at most; what is left is there at the next. */
const MOST = 256;
/** Only whether there is a message matters: the rest of it is thrown away. */
const ROOM = 256;

/** Hears in any number of network namespaces whether something about their links changed. */
export class LinkMonitor {
  readonly #c: Libc = libc();
  readonly #sockets = new Map<string | null, number>();
  readonly #room = new Uint8Array(ROOM);

  /**
   * Listens in a namespace from now on; needs CAP_SYS_ADMIN for others than the own (null). Where it is not permitted
   * nothing is heard.
   */
  listen(netns: string | null): void {
    if (this.#sockets.has(netns)) return;
    try {
      const fd = routeSocket(netns, this.#c);
      if (fd < 0) return;
      // struct sockaddr_nl: family, padding, port id 0 (the kernel gives one), groups.
      const address = new Uint8Array(12);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_NETLINK, true);
      view.setUint32(8, GROUPS, true);
      if (this.#c.bind(fd, address, address.length) === 0) this.#sockets.set(netns, fd);
      else this.#c.close(fd);
    } catch {
      // It is gone, or may not be entered.
    }
  }

  leave(netns: string): void {
    const fd = this.#sockets.get(netns);
    if (fd !== undefined) this.#c.close(fd);
    this.#sockets.delete(netns);
  }

  /** Where anything changed since this was asked last; null stands for the own namespace. */
  changed(): (string | null)[] {
    return [...this.#sockets].filter(([, fd]) => this.#heard(fd)).map(([netns]) => netns);
  }

  #heard(fd: number): boolean {
    for (let i = 0; i < MOST; i++) {
      if (this.#c.recv(fd, this.#room, ROOM, 0) >= 0) continue;
      // ENOBUFS: there was more than the kernel keeps.
      return i > 0 || this.#c.nameOf(this.#c.errno()) === 'ENOBUFS';
    }
    return true;
  }

  close(): void {
    for (const fd of this.#sockets.values()) this.#c.close(fd);
    this.#sockets.clear();
  }
}
