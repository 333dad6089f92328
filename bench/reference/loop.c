/*
 * What netdiag is measured against: a loop over libpcap that decodes every frame and keeps the tables that
 * src/network keeps. It prints how often each protocol was met and what the tables hold, as a check that it did the work.
 *
 *     cc -O2 -o loop loop.c -lpcap && ./loop capture.pcap
 */
#include <pcap/pcap.h>

#include "counts.h"

static uint64_t seen[DATA + 1];

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct frame *f = (struct frame *)user;
	int i;
	f->bytes = bytes;
	f->end = (int)header->caplen;
	f->wire_length = (int)header->len;
	f->time = header->ts.tv_sec * SECONDS + header->ts.tv_usec; /* opened for nanoseconds */
	f->number++;
	decode(f);
	observe(f);
	for (i = 0; i < f->layers; i++)
		seen[f->kinds[i]]++;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "", "ethernet", "vlan", "arp", "ipv4", "ipv6", "ipv6extension", "icmp",
					     "icmpv6", "udp", "tcp", "vxlan", "data" };
	static struct frame frame;
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *capture;
	int i, failed;

	if (argc != 2) {
		fprintf(stderr, "loop: usage: loop capture.pcap\n");
		return 2;
	}
	capture = pcap_open_offline_with_tstamp_precision(argv[1], PCAP_TSTAMP_PRECISION_NANO, error);
	if (capture == NULL) {
		fprintf(stderr, "loop: %s\n", error);
		return 2;
	}
	if (pcap_datalink(capture) != DLT_EN10MB) {
		pcap_close(capture);
		fprintf(stderr, "loop: only Ethernet is read here\n");
		return 2;
	}
	network_init();
	udp_ports[4789] = udp_ports[8472] = VXLAN;
	failed = pcap_loop(capture, -1, on_packet, (u_char *)&frame) != 0;
	if (failed)
		fprintf(stderr, "loop: %s\n", pcap_geterr(capture));
	pcap_close(capture);
	network_finish();
	printf("frames %u\n", frame.number);
	for (i = 1; i <= DATA; i++)
		printf("%s %llu\n", names[i], (unsigned long long)seen[i]);
	count_stations();
	count_resolutions();
	count_pings();
	count_flows();
	return failed ? 3 : 0;
}
