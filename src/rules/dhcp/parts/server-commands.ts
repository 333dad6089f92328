/** What the usual DHCP servers logged lately. */
export const SERVER_LOG = 'journalctl -u dnsmasq -u isc-dhcp-server -u kea-dhcp4-server -n 50';

/** Whether a DHCP server runs, and on which addresses it listens. */
export const SERVER_SOCKETS = "ss -ulnp 'sport = :67'";
