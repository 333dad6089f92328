import { execFileSync, spawnSync } from 'node:child_process';

/** Where the traffic comes from and where it is captured: a veth pair, each end in a namespace of its own. */
export class Wire {
  readonly #prefix = `ndbench${process.pid}-`;
  readonly device = 'eth0';

  /** @throws where there are no network namespaces, or no permission to make them */
  constructor() {
    for (const end of ['a', 'b']) {
      ip('netns', 'add', this.name(end));
      const off = ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
      ip('netns', 'exec', this.name(end), 'sysctl', '-qw', ...off);
    }
    const peer = ['peer', 'name', this.device, 'netns', this.name('b')];
    ip('link', 'add', this.device, 'netns', this.name('a'), 'type', 'veth', ...peer);
    // So the kernel cuts what the sender sends into small packets, see sender.js.
    ip('-n', this.name('a'), 'link', 'set', this.device, 'gso_max_size', '1000');
    for (const end of ['a', 'b']) ip('-n', this.name(end), 'link', 'set', this.device, 'up');
  }

  name(end: string): string {
    return `${this.#prefix}${end}`;
  }

  /** A command inside the sending (a) or the capturing (b) end. */
  inside(end: 'a' | 'b', command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name(end), ...command];
  }

  /** Packets that have arrived at the capturing end since it was made, as its device counts them. */
  arrived(): number {
    const [{ stats64 }] = JSON.parse(ip('-n', this.name('b'), '-s', '-j', 'link', 'show', this.device));
    return stats64.rx.packets;
  }

  remove(): void {
    for (const end of ['a', 'b']) spawnSync('ip', ['netns', 'del', this.name(end)]);
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}
