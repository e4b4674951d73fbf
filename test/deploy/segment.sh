#!/bin/sh
# Four machines as network namespaces, in one user namespace: no rights on this machine are needed, and nothing outlives it.
#
#   caller 10.0.0.2, 10.0.9.5 ── eth0 gateway eth1 ── switch ── model 10.20.0.11, stranger 10.20.0.66
#
# As bad as it gets before any rule: the gateway forwards, and everybody has a route to everybody. "ready", then it waits.
set -eu
mount -t tmpfs none /run # where `ip netns` keeps its names
for machine in caller gateway switch model stranger; do
  ip netns add $machine
  ip -n $machine link set lo up
done
cable() { # MACHINE INTERFACE MACHINE INTERFACE
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}
address() { # MACHINE INTERFACE ADDRESS...
  machine=$1 interface=$2
  shift 2
  for one in "$@"; do ip -n "$machine" address add "$one" dev "$interface" nodad; done
}
ip -n switch link add br0 type bridge
ip -n switch link set br0 up
cable caller eth0 gateway eth0
for machine in gateway:eth1 model:eth0 stranger:eth0; do
  cable "${machine%:*}" "${machine#*:}" switch "to-${machine%:*}"
  ip -n switch link set "to-${machine%:*}" master br0
done
address caller eth0 10.0.0.2/24 10.0.9.5/24 fd00::2/64
address gateway eth0 10.0.0.1/24 10.0.9.1/24 fd00::1/64
address gateway eth1 10.20.0.1/24 fd20::1/64
address model eth0 10.20.0.11/24 fd20::11/64
address stranger eth0 10.20.0.66/24 fd20::66/64
for machine in model stranger; do
  ip -n $machine route add default via 10.20.0.1
  ip -n $machine route add default via fd20::1
done
ip -n caller route add 10.20.0.0/24 via 10.0.0.1
ip -n caller route add fd20::/64 via fd00::1
ip netns exec gateway sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
echo ready
exec sleep 600
