//! MC60xx: git and the tree of files.

use super::table::codes;

codes! {
    TREE = 6001 "tree" "a file of the repository cannot be part of a mesh" {
        checks: "The mesh's folder holds regular files and folders with plain names.",
        why: "Links and submodules lead out of what was reviewed; odd names mean different files on different machines.",
        bad: "services -> ../../..\n",
        good: "services/web/mesh.yaml\n",
    }
    NO_MESH = 6002 "no-mesh" "the files say no mesh, or two" {
        checks: "There is exactly one object of kind Mesh.",
        why: "A mesh has one name and one trust domain.",
        bad: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\n---\nkind: Mesh\nname: mall\nversion: 1\ntrustDomain: mall.example\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\n",
    }
    LIMIT_MESH = 6003 "mesh-too-large" "the mesh is larger than a limit" {
        checks: "10,000 services, 100,000 rules, 1 MiB a unit, 256 MiB a bundle.",
        why: "Proxies refuse what is larger.",
        bad: "kind: Service\nname: s1\nport: 80\ncallers: [web]\n# ... and 10,000 more\n",
        good: "kind: Service\nname: s1\nport: 80\ncallers: [web]\n",
    }
    SPARSE = 6004 "sparse-checkout" "a sparse checkout leaves out files of the mesh" {
        checks: "All files that the index has below the mesh's folder are on disk.",
        why: "A mesh that is read in part has references to nothing, or is smaller than it is.",
        bad: "git sparse-checkout set services/web\n",
        good: "git sparse-checkout disable\n",
    }
    FOREIGN = 6005 "foreign-yaml" "a file belongs to another program" {
        checks: "No file below the mesh's folder has the name or form of a well-known other program's, such as Docker Compose, Helm or Kubernetes, unless `ignore` of the Mesh lists it.",
        why: "All YAML files below the folder of `mesh.yaml` are the mesh's.",
        bad: "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\nignore: [docker-compose.yml]\n",
    }
    IGNORE_ELSEWHERE = 6006 "ignore-elsewhere" "`ignore` stands where it has no effect" {
        checks: "`ignore` is said by the Mesh in the `mesh.yaml` of the mesh's folder.",
        why: "What is ignored must be known before any other file is read.",
        bad: "# in org/mesh-settings.yaml\nkind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\nignore: [docker-compose.yml]\n",
        good: "# in mesh.yaml\nkind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\nignore: [docker-compose.yml]\n",
    }
}
