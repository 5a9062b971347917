#!/bin/bash
# Process 1 of a node's namespaces: mounts, network, firewall rules and processes go away with it. A control plane, kubelet,
# scheduler and proxy of the same version, containerd with runc, and a bridge.
#
# WORK: a directory of this node's own. NODE: its address. CONTROL_PLANE, NODE_PARTS: the programs. ARCHIVES: images to load.
# Root and namespaces are enough. No DNS: nobody answers there. Tried with cgroups v1 beside an unused v2.
set -euo pipefail
cluster=$WORK/cluster certs=$WORK/cluster/certs
export RUN_DIR=$cluster
trap 'exit 0' TERM INT
mount --make-rprivate /; hostname node; mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/lock
for one in kubelet containerd cni; do mkdir -p "$WORK/$one" /var/lib/$one; mount --bind "$WORK/$one" /var/lib/$one; done
for one in pods containers; do mkdir -p "$WORK/$one" /var/log/$one; mount --bind "$WORK/$one" /var/log/$one; done
mount --make-rshared /var/lib/kubelet; mkdir -p "$certs" "$WORK/net.d" "$WORK/log"
echo 'nameserver 127.0.0.1' > "$WORK/resolv.conf"; mount --bind "$WORK/resolv.conf" "$(realpath /etc/resolv.conf)"
# A network without a way out. The default route leads nowhere; some parts want one.
ip link set lo up; ip link add node0 type veth peer name node1; ip link set node1 up
ip address add "$NODE/24" dev node0; ip link set node0 up
ip route add default via "${NODE%.*}.254" dev node0; sysctl -qw net.ipv4.ip_forward=1
cd "$certs"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=node-ca -keyout ca.key -out ca.crt 2>/dev/null  # whom the kubelet answers
openssl req -newkey rsa:2048 -nodes -subj /O=system:masters/CN=apiserver -keyout client.key -out client.csr 2>/dev/null
openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out client.crt 2>/dev/null
printf '%s\n' 'admintoken,admin,admin,"system:masters"' 'nodetoken,system:node:node,node,"system:nodes"' \
  proxytoken,system:kube-proxy,proxy schedulertoken,system:kube-scheduler,scheduler \
  controllertoken,system:kube-controller-manager,controllers > ../tokens.csv
start() { local name=$1; shift; "$@" >> "$WORK/log/$name.log" 2>&1 & }
start apiserver "$CONTROL_PLANE" kube-apiserver --bind-address=0.0.0.0 --advertise-address="$NODE" --secure-port=6443 \
  --cert-dir=. --allow-privileged --service-cluster-ip-range=10.96.0.0/24 \
  --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file=sa.key \
  --service-account-key-file=sa.key --token-auth-file=../tokens.csv --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --client-ca-file=ca.crt --kubelet-client-certificate=client.crt \
  --kubelet-client-key=client.key --kubelet-preferred-address-types=InternalIP
until curl -sf --noproxy '*' -k -H 'Authorization: Bearer admintoken' "https://$NODE:6443/readyz" >/dev/null; do sleep 0.2; done
for user in controller scheduler proxy node admin; do
  printf '{apiVersion: v1, kind: Config, current-context: node, clusters: [{name: node, cluster: {server: "https://%s:6443", certificate-authority-data: %s}}], users: [{name: user, user: {token: %stoken}}], contexts: [{name: node, context: {cluster: node, user: user}}]}\n' \
    "$NODE" "$(base64 -w0 apiserver.crt)" $user > ../$user.kubeconfig
done
start controllers "$CONTROL_PLANE" kube-controller-manager --kubeconfig=../controller.kubeconfig --leader-elect=false \
  --root-ca-file=apiserver.crt --secure-port=0 --service-account-private-key-file=sa.key --use-service-account-credentials
start scheduler "$NODE_PARTS" kube-scheduler --kubeconfig=../scheduler.kubeconfig --leader-elect=false --secure-port=0
# A namespace of the network may not set the machine's limits of connection tracking: 0 leaves them.
start proxy "$NODE_PARTS" kube-proxy --kubeconfig=../proxy.kubeconfig --hostname-override=node --proxy-mode=iptables \
  --cluster-cidr=10.244.0.0/24 --conntrack-max-per-core=0 --conntrack-min=0 --conntrack-tcp-timeout-established=0 \
  --conntrack-tcp-timeout-close-wait=0
cat > "$WORK/net.d/10-bridge.conflist" <<'C'
{"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
cat > ../containerd.toml <<C
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true   # root here may lack CAP_SYS_RESOURCE, and then runc cannot lower it
  cni = {bin_dir = "/usr/lib/cni", conf_dir = "$WORK/net.d"}
  containerd.runtimes.runc = {runtime_type = "io.containerd.runc.v2", options = {SystemdCgroup = false}}
C
start containerd containerd --config ../containerd.toml
until ctr version >/dev/null 2>&1; do sleep 0.2; done
for archive in $ARCHIVES; do ctr -n k8s.io images import "$archive" >> "$WORK/log/import.log" 2>&1; done
cat > ../kubelet.yaml <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
resolvConf: $WORK/resolv.conf
clusterDNS: [10.96.0.10]   # nobody answers there
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $certs/ca.crt}}
authorization: {mode: Webhook}
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
C
start kubelet "$NODE_PARTS" kubelet --config="$cluster/kubelet.yaml" --kubeconfig="$cluster/node.kubeconfig" \
  --hostname-override=node --node-ip="$NODE"
while :; do wait -n || true; sleep 0.2; done  # also takes up orphans
