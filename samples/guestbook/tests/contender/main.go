// A program that stands for a Lease as Go's operators do, by client-go's leader election: what ours has to get on with.
//
//	contender <kubeconfig> <namespace> <lease> <identity> <lease duration> <renew deadline> <retry period>
//
// It prints the address at which it answers GETs: 200 while it leads, else 503. When it starts leading it writes a ConfigMap of
// the Lease's name: its first work as the leader. It stands again after each term, and gives the lock back on SIGTERM.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func main() {
	if len(os.Args) != 8 {
		fail(fmt.Errorf("usage: %s kubeconfig namespace lease identity lease-duration renew-deadline retry-period", os.Args[0]))
	}
	kubeconfig, namespace, name, identity := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	fail(err)
	// As controller-runtime does: a call that hangs must not outlast the renew deadline.
	config.Timeout = duration(os.Args[6]) / 2
	client, err := kubernetes.NewForConfig(config)
	fail(err)

	var leading atomic.Bool
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	fmt.Printf("answers on http://%s\n", listener.Addr())
	go http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		if !leading.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	}))

	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name},
				Client:     client.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
			},
			LeaseDuration:   duration(os.Args[5]),
			RenewDeadline:   duration(os.Args[6]),
			RetryPeriod:     duration(os.Args[7]),
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					leading.Store(true)
					fmt.Println("started leading")
					work := corev1.ConfigMap(name, namespace).WithData(map[string]string{"leader": identity})
					apply := metav1.ApplyOptions{FieldManager: "contender", Force: true}
					if _, err := client.CoreV1().ConfigMaps(namespace).Apply(ctx, work, apply); err != nil {
						fmt.Println("first write:", err)
					}
				},
				OnStoppedLeading: func() { leading.Store(false); fmt.Println("stopped leading") },
			},
		})
		fail(err)
		elector.Run(ctx)
	}
}

func duration(text string) time.Duration {
	duration, err := time.ParseDuration(text)
	fail(err)
	return duration
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
