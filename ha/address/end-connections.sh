#!/bin/sh
# Ends the TCP connections at an address that is about to leave this host: each client gets a reset, and sends its request again. Without it a
# client waits for an answer that can't leave this host any more. For a second whatever still arrives is answered with a reset.
# in:   $1 address, with or without its length; nothing happens on a host that does not have it
# must hold: it comes before the address goes. A host without the address can't send the resets.
# needs: iproute2, nftables; a kernel with INET_DIAG_DESTROY, or else only clients that send something get a reset
address=${1%/*}
[ -n "$(ip -oneline address show to "$address" 2>/dev/null)" ] || exit 0
case $address in
*:*) set=six source="[$address]" ;;
*) set=four source=$address ;;
esac
nft --file - 2>/dev/null <<RULES
add table inet tidegate_leaving
add set inet tidegate_leaving four { type ipv4_addr; flags timeout; }
add set inet tidegate_leaving six { type ipv6_addr; flags timeout; }
add chain inet tidegate_leaving arriving { type filter hook input priority filter - 11; }
flush chain inet tidegate_leaving arriving
add rule inet tidegate_leaving arriving ip daddr @four meta l4proto tcp reject with tcp reset
add rule inet tidegate_leaving arriving ip6 daddr @six meta l4proto tcp reject with tcp reset
add element inet tidegate_leaving $set { $address timeout 1s }
RULES
ss -H -K -t -n state connected src "$source" >/dev/null 2>&1
exit 0
