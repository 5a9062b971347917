"""Sets of values that between them make every template say all it can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

EVERYTHING: Values = {
    "image": {"repository": "registry.example.com/lenses-operator", "tag": "1.2.3", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 3,
    "leaderElection": {"name": "the-one"},
    "lenses": {"ca": {"configMapName": "company-ca"}, "proxy": {"secretName": "proxy"}},
    "watch": {"labelSelector": "team=payments,tier in (a, b)", "references": True},
    "policy": {
        "rules": [{"namespaces": ["a-*"], "environments": ["prod"], "clusters": ["*"], "connectors": ["a-*"]}],
        "admission": True,
    },
    "pollInterval": 0.5,
    "listRate": 0.5,
    "driftInterval": 86400,
    "log": {"format": "text", "level": "DEBUG"},
    "serviceAccount": {"name": "connectors", "annotations": {"example.com/role": "connectors"}},
    "podAnnotations": {"example.com/scrape": "no"},
    "podLabels": {"example.com/mesh": "off"},
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "50%"}},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 1,
                    "podAffinityTerm": {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "lenses-operator"}},
                    },
                }
            ]
        }
    },
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "lenses-operator"}},
        }
    ],
    "priorityClassName": "system-cluster-critical",
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraVolumes": [{"name": "more", "configMap": {"name": "more"}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more", "readOnly": True}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {"a": "b"}}],
    "service": {"port": 9090, "annotations": {"example.com/a": "b"}},
    "networkPolicy": {
        "enabled": True,
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egress": [{"ports": [{"port": 443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "podDisruptionBudget": {"enabled": True, "maxUnavailable": "50%"},
    "metrics": {
        "serviceMonitor": {
            "enabled": True,
            "labels": {"release": "prometheus"},
            "interval": "30s",
            "scrapeTimeout": "10s",
            "relabelings": [{"action": "labeldrop", "regex": "pod"}],
            "metricRelabelings": [{"action": "keep", "sourceLabels": ["__name__"], "regex": "lenses_.*"}],
        },
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Kafka"}},
    },
    "commonLabels": {"team": "streams"},
}
SETS: Mapping[str, Values] = {
    "defaults": {},
    "everything": EVERYTHING,
    "some namespaces": {"watch": {"namespaces": ["default", "kube-public"], "references": True}, "replicas": 2},
    "roles only": {
        "watch": {"namespaces": ["default"]},
        "rbac": {"ownKindsClusterWide": False, "aggregate": False},
        "crds": {"enabled": False},
        "lenses": {"ca": {"secretName": "company-ca", "key": "bundle.pem"}},
        "policy": {"existingConfigMap": "theirs"},
    },
    "as little as possible": {
        "rbac": {"create": False, "aggregate": False},
        "serviceAccount": {"create": False, "name": "theirs"},
        "crds": {"enabled": False},
        "service": {"enabled": False},
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        "livenessProbe": None,
        "readinessProbe": None,
        "resources": None,
    },
}
