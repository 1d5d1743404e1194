#!/usr/bin/env bash
#SBATCH --job-name=grade-class
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=02:00:00
# An array of jobs grades a class: each an eighth of it, on a cluster whose nodes share this folder.
#   sbatch --export=ALL,CLASS=$HOME/fall tests/class/slurm.sh
# and when the array is done, on the login node:
#   make grade-class CLASS=$HOME/fall SHARD=report
# IMAGE=lab.sif runs each share in that container (apptainer build lab.sif docker-archive:socket-lab.tar).
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
make=(make)
[[ -z ${IMAGE:-} ]] || make=(apptainer exec --bind "$PWD,$CLASS" "$IMAGE" make)
exec "${make[@]}" grade-class "CLASS=$CLASS" "SHARD=${SLURM_ARRAY_TASK_ID:-1}/${SLURM_ARRAY_TASK_COUNT:-1}" "JOBS=${SLURM_CPUS_PER_TASK:-2}" NO_INSTALL=1
