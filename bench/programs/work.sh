# What shell scripts do inside the shell: arithmetic, string operations, arrays, functions, case, loops.
scale=$1
total=0
declare -A seen
twice() { local n=$1; result=$((n * 2)); }
for ((i = 0; i < 1500 * scale; i++)); do
  twice $i
  total=$(((total * 31 + result) % 1000003))
  name="file-$i.txt"
  case $name in
    *7.txt) seen[seven]=$((${seen[seven]:-0} + 1)) ;;
    file-1*) seen[one]=$((${seen[one]:-0} + 1)) ;;
  esac
  stem=${name%.txt}
  [[ $stem =~ ^file-([0-9]+)$ ]] && total=$((total + BASH_REMATCH[1]))
  list+=("${stem/file/entry}")
done
printf '%s %s %s %s\n' "$total" "${seen[seven]}" "${seen[one]}" "${#list[@]} ${list[42]}"
