//! What people are told when nobody can lead, and how they mend it.

use super::election::{Foreign, OwnPodTrouble, Stall};

/// Told once a minute while it lasts. `lock` and `pod` are where they are.
pub(super) fn told(stall: Stall, lock: &str, pod: &str) -> String {
    match stall {
        Stall::Vacant => "nobody leads: the lock is free, and it could not be taken yet".to_owned(),
        Stall::Foreign(Foreign::Data) => format!(
            "nobody can lead: {lock} has data, so it is no lock and was not touched; choose another LeaderElectionId, or delete it \
             if nobody needs it"
        ),
        Stall::Foreign(Foreign::Unowned) => format!(
            "nobody can lead: {lock} belongs to no pod, so nobody would ever free it, and it was not touched; delete it if it is \
             no longer needed and no replica leads by it, or choose another LeaderElectionId"
        ),
        Stall::Foreign(Foreign::OtherOwner) => format!(
            "nobody can lead: {lock} does not belong to one pod alone, so it is no lock and was not touched; choose another \
             LeaderElectionId"
        ),
        Stall::HolderGone => format!(
            "nobody leads: the holder's pod is gone, and the garbage collector has not deleted {lock} yet; does the cluster's \
             kube-controller-manager work?"
        ),
        Stall::OwnPod(OwnPodTrouble::Missing) => format!(
            "this replica can't lead: there is no pod {pod}, and a lock goes with its holder's pod; set KubeOps:Name (POD_NAME) to \
             the name of this pod, and KubeOps:LeaderElectionNamespace to its namespace, or it was deleted by force"
        ),
        Stall::OwnPod(OwnPodTrouble::Other) => format!(
            "this replica can't lead: the pod {pod} has another uid than KubeOps:PodUid (POD_UID): another pod has the name now"
        ),
        Stall::OwnPod(OwnPodTrouble::Dead) => format!(
            "this replica can't lead: the pod {pod} has failed or succeeded and all its containers have ended, says the API server"
        ),
        Stall::Twin => format!(
            "this replica can't lead: another process has written to {lock} in the name of its pod, {pod}; let each replica have \
             KubeOps:Name (POD_NAME) and KubeOps:PodUid (POD_UID) of its own pod, and no process outside of the pod have them; \
             delete the lock if there is no such process any more"
        ),
        Stall::Unproven => format!(
            "this replica can't lead: {lock} is its own pod's, and this system can't tell whether an earlier process of it lives; \
             delete the lock if none does"
        ),
    }
}
