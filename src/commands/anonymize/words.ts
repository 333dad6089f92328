import ipaddr from 'ipaddr.js';
import type { Subject } from '../../rules/rule.js';
import { formatMac } from '../../wire/address.js';
import type { AddressMap } from './mapping.js';

const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
/** A bridge as it names itself, `8000.e:85:8b:bc:32:97`: its priority, and its MAC without leading zeros (iproute2). */
const BRIDGE = /^([0-9a-f]{4})\.((?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2})$/i;
/** What may be an address or a name, in the midst of other words. */
const TOKEN =
  /[0-9a-f]{4}\.(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*|[\w@.-]+/gi;
/** Names that mean something by themselves. */
const KEPT = new Set(['lo', 'host', 'any', 'default', 'all', 'inet', 'inet6']);

/** Keys of a host context under which somebody wrote what came to mind: of devices, of firewall rules. */
const FREE_TEXT = new Set(['ifalias', 'comment']);

/** Keys of a host context that are no settings. */
const COMMAND = /^(ip|bridge|tc|nft|ethtool|cat|ip6?tables(-legacy|-nft)?-save) /;

const SAVED = /^ip6?tables\S*-save /;
/** What these print of words that somebody wrote: comments, and what logs begin with. */
const WRITTEN = /(--(?:comment|(?:ulog-|nflog-)?log-prefix|nflog-prefix) )("(?:\\.|[^"\\])*"|\S+)/g;

/** Maps the addresses and names in text and JSON as `AddressMap` maps them in packets. */
export class WordMap {
  readonly #addresses: AddressMap;
  readonly #names = new Map<string, string>();

  constructor(addresses: AddressMap) {
    this.#addresses = addresses;
  }

  /** From now on this is a name of a device or a namespace, to be mapped wherever it stands. */
  learn(name: unknown): void {
    if (typeof name !== 'string' || name === '' || KEPT.has(name) || this.#names.has(name)) return;
    this.#names.set(name, this.#standIn(name));
  }

  /** Equal for equal words, and tells nothing of them. */
  #standIn(words: string): string {
    return `n${Buffer.from(this.#addresses.hash(`name ${words}`, 4)).toString('hex')}`;
  }

  /** One word: a name, a MAC, an IP address with or without the length of its prefix. */
  word(word: string): string {
    const name = this.#names.get(word);
    if (name !== undefined) return name;
    if (MAC.test(word)) {
      const mapped = this.#macOf(word);
      const view = new DataView(mapped.buffer, mapped.byteOffset, 6);
      return formatMac(view.getUint16(0), view.getInt32(2));
    }
    const bridge = BRIDGE.exec(word);
    if (bridge !== null)
      return `${bridge[1]}.${Array.from(this.#macOf(bridge[2]), (byte) => byte.toString(16)).join(':')}`;
    if (ipaddr.IPv4.isValidFourPartDecimal(word))
      return [...this.#addresses.ipv4(Uint8Array.from(ipaddr.parse(word).toByteArray()))].join('.');
    if (word.includes(':') && ipaddr.IPv6.isValid(word)) {
      const mapped = this.#addresses.ipv6(Uint8Array.from(ipaddr.IPv6.parse(word).toByteArray()));
      return new ipaddr.IPv6([...mapped]).toRFC5952String();
    }
    return word;
  }

  #macOf(text: string): Uint8Array {
    return this.#addresses.mac(Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16)));
  }

  /** All addresses and names in a text. */
  text(text: string): string {
    const whole = this.word(text);
    if (whole !== text) return whole;
    return text.replace(TOKEN, (token) => {
      const mapped = this.word(token);
      return mapped === token ? this.#namesIn(token) : mapped;
    });
  }

  /** What a finding is about. */
  subject(subject: Subject): Subject {
    return Object.fromEntries(
      Object.entries(subject).map(([kind, value]) => [kind, typeof value === 'string' ? this.text(value) : value]),
    );
  }

  /** All texts in a JSON value, keys too. */
  json(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.json(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.#key(key), this.#valueOf(key, each)]));
  }

  /** What stands under a key. */
  #valueOf(key: string, value: unknown): unknown {
    if (typeof value !== 'string') return this.json(value);
    if (FREE_TEXT.has(key)) return this.#standIn(value);
    return this.text(SAVED.test(key) ? this.#withoutWritten(value) : value);
  }

  #withoutWritten(rules: string): string {
    return rules.replace(WRITTEN, (_, option, words) => `${option}${this.#standIn(words)}`);
  }

  /** A key is a name, the command that gave what follows, or a setting with a name in it (`net.ipv4.conf.eth0.forwarding`). */
  #key(key: string): string {
    return COMMAND.test(key) ? key : this.text(key);
  }

  #namesIn(token: string): string {
    return token.replace(/[\w-]+/g, (part) => this.#names.get(part) ?? part);
  }

  /** Learns the names of a host context: namespaces, devices, their other names. */
  learnContext(json: unknown): void {
    const namespaces = (json as { namespaces?: Record<string, unknown> } | null)?.namespaces ?? {};
    for (const name of Object.keys(namespaces)) this.learn(name);
    this.#learnDevices(namespaces);
  }

  #learnDevices(value: unknown): void {
    if (Array.isArray(value)) for (const each of value) this.#learnDevices(each);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) {
        if (['ifname', 'dev', 'link', 'master', 'altname'].includes(key)) this.learn(each);
        else if (key === 'altnames' && Array.isArray(each)) for (const name of each) this.learn(name);
        else this.#learnDevices(each);
      }
    }
  }
}
