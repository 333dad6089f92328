/** One interface of a capture, as the file or the capturing side describes it. */
export interface InterfaceInfo {
  /** Device name, where the capture says; text from outside: show it only through `printable`. */
  name: string | null;
  description: string | null;
  /** Filter expression with which the packets were captured, where the file says; text from outside. */
  filter?: string;
  /** LINKTYPE_ value. */
  linkType: number;
  /** Bytes kept of each packet at most; 0 where no limit was set. */
  snapLength: number;
  /** Packets the interface or the kernel dropped (pcapng isb_ifdrop + isb_osdrop), null if not said. */
  dropped: number | null;
}

/** A place where the file is not as its format demands; what it cost, if anything, is in the message. */
export interface Problem {
  /** Offset in the uncompressed stream, in bytes. */
  offset: number;
  message: string;
}

/** What is known of one input; filled in while it is read, so complete only at its end. */
export interface CaptureInfo {
  /** As given on the command line. */
  name: string;
  /** `text`: pasted; its frames go by the numbers of their lines. `live`: from devices of this machine. */
  format: 'pcap' | 'pcapng' | 'text' | 'live';
  compression: 'gzip' | 'zstd' | null;
  interfaces: InterfaceInfo[];
  /** False if something was lost: the end was not reached, or a record on the way could not be read. */
  complete: boolean;
  problems: Problem[];
  /** All drops that the capturing side reports; null where the file cannot say or does not. */
  dropped: number | null;
  /** Comments on sections, interfaces and packets are counted, not kept. */
  comments: number;
  /** Packets that came without a time stamp (pcapng simple packet block); they keep the one of the packet before. */
  untimed: number;
  /** What happened to the devices and the machine while it was captured, and what the way of capturing left out. */
  notes?: CaptureNote[];
}

export interface CaptureNote {
  /** Milliseconds since 1970. */
  time: number;
  message: string;
}
