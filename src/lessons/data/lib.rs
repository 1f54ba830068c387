//! Data at scale: many machines that hold one set of data.

pub mod cap_theorem;
pub mod consistent_hashing;
pub mod distributed_locks;
pub mod gossip;
pub mod leader_election;
pub mod quorums;
pub mod read_replicas;
pub mod replica_placement;
pub mod sharding;

kit::lessons![
    consistent_hashing::Hashing,
    cap_theorem::Cap,
    read_replicas::ReadReplicas,
    leader_election::LeaderElection,
    replica_placement::ReplicaPlacement,
    gossip::Gossip,
    quorums::Quorums,
    distributed_locks::DistributedLocks,
    sharding::Sharding,
];
