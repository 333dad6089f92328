import type { Frame } from '../../wire/frame.js';
import {
  ipv4Destination,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Identification,
  ipv4MoreFragments,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalLength,
} from '../../wire/ipv4.js';
import { DESTINATION, ipv6PayloadLength, SOURCE } from '../../wire/ipv6.js';
import {
  extensionFragmentOffset,
  extensionIdentification,
  extensionMoreFragments,
  extensionNextHeader,
  isFragmentHeader,
} from '../../wire/ipv6-extension.js';
import type { Addresses } from '../addresses.js';
import type { Fragments } from './fragments.js';

const IPV6_HEADER = 40;

/** Reads the headers of IP fragments into the table of them. */
export class FragmentReader {
  constructor(
    private readonly addresses: Addresses,
    private readonly fragments: Fragments,
  ) {}

  /** An IPv4 header that says that it is of a fragment. */
  ipv4(frame: Frame, layer: number, segment: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const length = ipv4TotalLength(view, at) - ipv4HeaderLength(view, at);
    if (length <= 0) return;
    this.fragments.add(
      segment,
      ipv4Protocol(view, at),
      this.addresses.ipv4(ipv4Source(view, at)),
      this.addresses.ipv4(ipv4Destination(view, at)),
      ipv4Identification(view, at),
      ipv4FragmentOffset(view, at),
      length,
      ipv4MoreFragments(view, at),
      frame,
      layer,
    );
  }

  /** An IPv6 extension header, at `layer`; counts if it is a fragment's. `ip` is the layer of the IPv6 header. */
  ipv6(frame: Frame, ip: number, layer: number, segment: number): void {
    if (!isFragmentHeader(frame, layer)) return;
    const { view } = frame;
    const header = frame.offsets[ip];
    const at = frame.offsets[layer];
    const offset = extensionFragmentOffset(view, at);
    const more = extensionMoreFragments(view, at);
    // An atomic fragment (RFC 6946) is whole by itself.
    if (offset === 0 && !more) return;
    const length = ipv6PayloadLength(view, header) + IPV6_HEADER - (frame.ends[layer] - header);
    if (length <= 0) return;
    this.fragments.add(
      segment,
      extensionNextHeader(view, at),
      this.addresses.ipv6(view, header + SOURCE),
      this.addresses.ipv6(view, header + DESTINATION),
      extensionIdentification(view, at) | 0,
      offset,
      length,
      more,
      frame,
      ip,
    );
  }
}
