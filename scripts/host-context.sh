#!/bin/sh
# Prints what a Linux host says of its network, in all namespaces that `ip netns` names: a file for `netdiag analyze --context`.
# It reads only, and needs iproute2; as root it sees other namespaces and the firewall. docs/host-context.md
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

json() { # its output; null if the command is missing or fails
  if out=$("$@" 2>/dev/null); then printf '%s' "${out:-[]}"; else printf null; fi
}

settings() {
  "$@" sysctl -a --pattern '^net\.(ipv4\.(ip_forward$|conf\.)|ipv6\.conf\.|bridge\.)' 2>/dev/null |
    awk -F ' = ' 'BEGIN { printf "{" } { printf "%s\n    \"%s\": \"%s\"", s, $1, $2; s = "," } END { printf "}" }'
}

namespace() { # name, and what to put before each command
  printf '%s\n  "%s": {' "$comma" "$1"
  comma=,
  shift
  for command in 'ip -d -j link' 'ip -s -j link' 'ip -j addr' 'ip -j route' 'ip -6 -j route' 'ip -j neigh' 'ip -6 -j neigh' \
    'bridge -d -j link' 'bridge -j fdb' 'bridge -d -j vlan' 'nft -j list ruleset'; do
    # shellcheck disable=SC2086 # the words of a command
    printf '\n   "%s": %s,' "$command" "$(json "$@" $command)"
  done
  printf '\n   "sysctl": %s}' "$(settings "$@")"
}

named=$(ip netns list 2>/dev/null | cut -d' ' -f1)
own=$(ip netns identify $$ 2>/dev/null)
if [ -z "$own" ]; then
  own=host
  for name in $named; do [ "$name" = host ] && own=this-host; done
fi
printf '{"kernel": "%s", "namespaces": {' "$(uname -r)"
comma=
namespace "$own"
for name in $named; do [ "$name" = "$own" ] || namespace "$name" ip netns exec "$name"; done
printf '\n}}\n'
