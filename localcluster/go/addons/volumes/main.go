// Command volumes provisions local PersistentVolumes: one folder per claim on the node's disk.
//
// The volumes are of type "local", not "hostPath", because the kubelet then applies a pod's fsGroup to them, as it does
// on a real cluster: a pod that does not run as root can write to its volume, and only because it says so.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// folders provisions each volume as a folder named like the volume in the base folder.
type folders struct {
	base *os.Root
	node string
}

// Provision creates the volume's folder; creating it again after a crash finds it there.
func (f folders) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if err := f.base.MkdirAll(options.PVName, 0o755); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("create the volume's folder: %w", err)
	}
	return f.volume(options), controller.ProvisioningFinished, nil
}

// Delete removes the volume's folder with all it holds.
func (f folders) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if err := f.base.RemoveAll(volume.Name); err != nil {
		return fmt.Errorf("remove the volume's folder: %w", err)
	}
	return nil
}

func (f folders) volume(options controller.ProvisionOptions) *corev1.PersistentVolume {
	requested := options.PVC.Spec.Resources.Requests[corev1.ResourceStorage]
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: requested},
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: filepath.Join(f.base.Name(), options.PVName)},
			},
			NodeAffinity: onNode(f.node),
		},
	}
}

func onNode(name string) *corev1.VolumeNodeAffinity {
	return &corev1.VolumeNodeAffinity{
		Required: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{name},
				}},
			}},
		},
	}
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	provisioner := flag.String("provisioner", "", "the provisioner's name in storage classes")
	folder := flag.String("folder", "", "where the volumes' folders are made")
	node := flag.String("node", "", "the node that has the folder")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("create the client: %w", err)
	}
	base, err := os.OpenRoot(*folder)
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// There is only ever one node and so one provisioner: nobody to elect a leader among.
	controller.NewProvisionController(
		ctx, client, *provisioner, folders{base, *node}, controller.LeaderElection(false), controller.MetricsPort(0),
	).Run(ctx)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
