#!/bin/sh
# Prints what a Linux host says of its network, in all its namespaces: a file for `netdiag analyze --context`.
# It reads only, and needs iproute2 (for containers also util-linux); as root it sees other namespaces and the firewall. docs/host-context.md
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

# What one shell asks in each namespace: to enter it anew for each command takes longer than the commands.
asks() {
  cat <<'ASKS'
json() { # its output in $out; null if the command is missing or fails
  if out=$("$@" 2>/dev/null); then out=${out:-[]}; else out=null; fi
}

words() { # its output as a text in JSON; fails if the command does
  out=$("$@" 2>/dev/null) && [ -n "$out" ] || return 1
  printf '"%s"' "$(printf '%s\n' "$out" | tr -d '\000-\011\013-\037' | sed 's/[\\"]/\\&/g; s/$/\\n/' | tr -d '\n')"
}

tables() { # family: rules that nft does not show ($ruleset), or not in full
  family=$1
  names="cat /proc/net/${family}_tables_names"
  for kind in legacy nft; do
    case $kind in
    # shellcheck disable=SC2086 # the words of a command
    legacy) known=$(words $names) && printf '\n   "%s": %s,' "$names" "$known" || continue ;;
    nft) case $ruleset in *'"xt"'*) ;; *) continue ;; esac ;;
    esac
    for command in "${family}tables-$kind-save -c" "${family}tables-save -c"; do
      # shellcheck disable=SC2086
      saved=$(words $command) && printf '\n   "%s": %s,' "$command" "$saved" && break
    done
  done
}

settings() { # as sysctl names them, which would read all of the machine's: there, a slash stands for a dot in a name
  grep -rs '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/icmp_echo_ignore_all /proc/sys/net/ipv4/conf \
    /proc/sys/net/ipv6/conf /proc/sys/net/ipv6/icmp/echo_ignore_all /proc/sys/net/bridge /proc/sys/net/netfilter/nf_conntrack_count \
    /proc/sys/net/netfilter/nf_conntrack_max |
    awk '{ colon = index($0, ":"); key = substr($0, 11, colon - 11); gsub("[.]", "\n", key); gsub("/", ".", key); gsub("\n", "/", key)
      printf "%s\n    \"%s\": \"%s\"", s, key, substr($0, colon + 1); s = "," }
      BEGIN { printf "{" } END { printf "}" }'
}

ids() { # which namespaces the numbers in `link_netnsid` stand for; lsns of util-linux knows those that iproute2 has no name for
  said=$(ip netns list-id 2>/dev/null) || { printf null; return; }
  case $(printf '%s\n' "$said" | grep -v 'name:') in nsid*) said="$said
$(lsns -rn -o NETNSID,NS -t net 2>/dev/null)" ;; esac
  printf '%s\n\n%s\n' "$all" "$said" | awk '
    NF == 0 { listed = 1; next }
    !listed { names[$1] = $2; next }
    $1 == "nsid" { sub("[)]$", "", $NF); ids[$2] = $(NF - 1) == "name:" ? ", \"name\": \"" $NF "\"" : ""; next }
    $1 in ids && ids[$1] == "" { ids[$1] = ", \"name\": " ($2 in names ? "\"" names[$2] "\"" : "null") }
    BEGIN { printf "[" } END { for (id in ids) { printf "%s{\"nsid\": %d%s}", s, id, ids[id]; s = ", " } printf "]" }'
}

for command in 'ip -d -j link' 'ip -s -j link' 'ip -j addr' 'ip -j route' 'ip -6 -j route' 'ip -j rule' 'ip -6 -j rule' 'ip -j neigh show nud all' \
  'ip -6 -j neigh show nud all' 'bridge -d -j link' 'bridge -j fdb' 'bridge -d -j vlan' 'nft -j list ruleset'; do
  # shellcheck disable=SC2086 # the words of a command
  json $command
  ruleset=$out
  printf '\n   "%s": %s,' "$command" "$ruleset"
done
tables ip
tables ip6
for family in ip 'ip -6'; do # other tables than the main one, where rules lead there
  # shellcheck disable=SC2086
  [ "$($family rule 2>/dev/null | grep -cvE 'lookup (local|main|default)$')" -eq 0 ] && continue
  # shellcheck disable=SC2086
  json $family -j route show table all
  printf '\n   "%s -j route show table all": %s,' "$family" "$out"
done
printf '\n   "ip -j netns list-id": %s,\n   "sysctl": %s}' "$(ids)" "$(settings)"
ASKS
}

named=$(ip netns list 2>/dev/null | cut -d' ' -f1)
own=$(ip netns identify $$ 2>/dev/null | head -n 1)
if [ -z "$own" ]; then
  own=host
  for name in $named; do [ "$name" = host ] && own=this-host; done
fi

# All namespaces, one a line: inode, name, and what to put before each command.
all="$(readlink /proc/self/ns/net | tr -cd '[:digit:]') $own"
add() { # inode, name, and what to put before each command
  known="$known $1"
  all="$all
$*"
}
known=${all%% *}
for name in $named; do
  net=$(stat -Lc %i "/run/netns/$name" 2>/dev/null) || continue
  case " $known " in *" $net "*) continue ;; esac
  add "$net" "$name" ip netns exec "$name"
done
# Containers that `ip netns` does not know, each by its oldest process.
for pid in $(cd /proc && ls -d [0-9]* 2>/dev/null | sort -n); do
  net=$(readlink "/proc/$pid/ns/net" 2>/dev/null | tr -cd '[:digit:]')
  [ -n "$net" ] || continue
  case " $known " in *" $net "*) continue ;; esac
  known="$known $net"
  [ "$(nsenter -t "$pid" -n ip -o link 2>/dev/null | wc -l)" -gt 1 ] || continue
  add "$net" "$(tr -cd '[:alnum:]_.-' <"/proc/$pid/comm")/$pid" nsenter -t "$pid" -n
done

# Those of Docker's overlay networks have no process at all.
for file in /run/docker/netns/*; do
  net=$(stat -Lc %i "$file" 2>/dev/null) || continue
  case $file in *[!/[:alnum:]_.-]*) continue ;; esac
  case " $known " in *" $net "*) continue ;; esac
  add "$net" "$file" nsenter --net="$file"
done

printf '{"kernel": "%s", "namespaces": {' "$(uname -r)"
comma='' asked=$(asks)
export all
printf '%s\n' "$all" | {
  while read -r _ name how; do
    # A container may have ended since it was listed, or end meanwhile: what is not whole is left out.
    # shellcheck disable=SC2086 # the words of a command
    said=$($how sh -c "$asked" </dev/null 2>/dev/null)
    case $said in *'}') ;; *) continue ;; esac
    printf '%s\n  "%s": {%s' "$comma" "$name" "$said"
    comma=,
  done
  printf '\n}}\n'
}
