# Completion of sekishoctl for bash. Made by: sekishoctl completion bash
_sekishoctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local name=${COMP_WORDS[1]} sub=${COMP_WORDS[2]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W "log trail status doctor verify timestamp export decode evidence enrol collector token host console policy usb print quarantine reason release report retention self store completion version help" -- "$cur"))
		return
	fi
	case $prev in
	--lang) COMPREPLY=($(compgen -W "en ja" -- "$cur")); return ;;
	--since|-s) return ;;
	--until|-u) return ;;
	--host|-H) return ;;
	--user|-U) return ;;
	--program|-P) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--path|-p) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--kind|-k) COMPREPLY=($(compgen -W "exec fork exit file rename link symlink unlink mkdir rmdir truncate chmod chown mount umount copy login logout lock unlock user-change running mounted recorder-start recorder-stop loss heartbeat own-file own-files clock-set call-refused self-open self-close agent-upgraded self-refused file-refused reason-given reason-missing sleep wake enrol revoke refused gap forked collector-start rejoin renew witness-alarm admin clock witness retire console-start console-sign-in console-sign-in-refused console-sign-out console-view console-search console-export console-change console-refused console-account plug unplug decision medium denied policy policy-refused release release-refused write-seen guard-start guard-stop proof release-end drive-file drive-copy drive-sealed drive-opened copy-taken malware scan-missed print print-result print-missed print-queue print-start print-stop print-release print-route print-copy printer-connect retention expired hold hold-lifted herald-start alert alert-acknowledged alert-unsent posture" -- "$cur")); return ;;
	--class|-c) COMPREPLY=($(compgen -W "fixed usb removable network memory cloud other" -- "$cur")); return ;;
	--text|-t) return ;;
	--fact) COMPREPLY=($(compgen -W "kind time boot_time result flags pid start uid user login_uid session program comm ppid parents container mnt_ns path path2 device inode fs class mode new_uid new_gid size open_flags read written duration count args cwd script exit_code signal target_user target_uid seat remote service cause lost probe_set enforce text peer peer_name hash from_seq to_seq key usb_id maker product serial fingerprint interfaces device_kind access rule policy port owner label policy_mode until operation signer layers printer printer_uri location title job pages copies sheets impressions colour sides media format documents action outcome attempt job_user options printer_class route job_uuid document_name gate number_up created counted generator findings my_numbers copy address stamp corporate_numbers cards bank_accounts pension_numbers insurance_numbers found known_documents origin certainty reason from_device from_inode from_class severity alert about channel month months from_leaf to_leaf order hold person own_leaf after_leaf time_before key_place version check state area" -- "$cur")); return ;;
	--limit|-n) return ;;
	--fields) COMPREPLY=($(compgen -W "kind time boot_time result flags pid start uid user login_uid session program comm ppid parents container mnt_ns path path2 device inode fs class mode new_uid new_gid size open_flags read written duration count args cwd script exit_code signal target_user target_uid seat remote service cause lost probe_set enforce text peer peer_name hash from_seq to_seq key usb_id maker product serial fingerprint interfaces device_kind access rule policy port owner label policy_mode until operation signer layers printer printer_uri location title job pages copies sheets impressions colour sides media format documents action outcome attempt job_user options printer_class route job_uuid document_name gate number_up created counted generator findings my_numbers copy address stamp corporate_numbers cards bank_accounts pension_numbers insurance_numbers found known_documents origin certainty reason from_device from_inode from_class severity alert about channel month months from_leaf to_leaf order hold person own_leaf after_leaf time_before key_place version check state area" -- "$cur")); return ;;
	--color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
	--store) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--log-key|-l) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--witnesses) return ;;
	--witness-policy) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--tsa-ca) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--admins) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--device|-d) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--checkpoint) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--timestamps) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--out|-o) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--name) return ;;
	--reason) return ;;
	--key) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--certificate) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--valid) return ;;
	--role) COMPREPLY=($(compgen -W "administrator auditor viewer" -- "$cur")); return ;;
	--scope) return ;;
	--oidc) return ;;
	--devices) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--usb) return ;;
	--device-kind) COMPREPLY=($(compgen -W "storage optical sd phone network serial printer hid hub audio video smartcard bluetooth vendor other" -- "$cur")); return ;;
	--printer) return ;;
	--title) return ;;
	--pages) return ;;
	--format) return ;;
	--mib) return ;;
	--found) return ;;
	--protected) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--share) return ;;
	--group) return ;;
	--at) return ;;
	--policy) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--into) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--admin-key) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--roster) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--for) return ;;
	--access) COMPREPLY=($(compgen -W "read-only read-write" -- "$cur")); return ;;
	--month|-m) return ;;
	--pdf) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--csv) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--channel) COMPREPLY=($(compgen -W "recorder guard print posture console herald" -- "$cur")); return ;;
	--to) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--readers) return ;;
	--from) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	esac
	if ((COMP_CWORD == 2)); then
		case $name in
		verify) COMPREPLY=($(compgen -W "bundle" -- "$cur") $(compgen -f -- "$cur")); [[ $cur == -* ]] || return ;;
		export) COMPREPLY=($(compgen -W "parquet clickhouse" -- "$cur") $(compgen -f -- "$cur")); [[ $cur == -* ]] || return ;;
		evidence) COMPREPLY=($(compgen -W "list take open" -- "$cur")); return ;;
		collector) COMPREPLY=($(compgen -W "init join list admit" -- "$cur")); return ;;
		token) COMPREPLY=($(compgen -W "create list" -- "$cur")); return ;;
		host) COMPREPLY=($(compgen -W "list revoke retire export" -- "$cur")); return ;;
		console) COMPREPLY=($(compgen -W "user" -- "$cur")); return ;;
		policy) COMPREPLY=($(compgen -W "check explain fingerprint diff replay keygen sign show apply push status" -- "$cur")); return ;;
		usb) COMPREPLY=($(compgen -W "list learn" -- "$cur")); return ;;
		print) COMPREPLY=($(compgen -W "queues held release" -- "$cur")); return ;;
		quarantine) COMPREPLY=($(compgen -W "request order release" -- "$cur")); return ;;
		release) COMPREPLY=($(compgen -W "request answer keygen" -- "$cur")); return ;;
		retention) COMPREPLY=($(compgen -W "show plan hold lift request countersign order" -- "$cur")); return ;;
		self) COMPREPLY=($(compgen -W "show open close" -- "$cur")); return ;;
		store) COMPREPLY=($(compgen -W "stats rebuild move backup restore" -- "$cur")); return ;;
		completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")); return ;;
		esac
	fi
	case $name,$sub in
	log,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --since -s --until -u --host -H --user -U --program -P --path -p --kind -k --class -c --text -t --fact --limit -n --newest -r --follow -f --json --csv --fields --color --store --socket --lang --help -h" -- "$cur"))
		fi ;;
	trail,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --since -s --until -u --host -H --json --store --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	status,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	doctor,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	verify,bundle)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --log-key -l --witnesses --witness-policy --tsa-ca --admins --quiet -q --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	verify,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --device -d --log-key -l --checkpoint --witnesses --witness-policy --timestamps --tsa-ca --admins --no-bodies --quiet -q --json --store --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	timestamp,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --config --log-key -l --quiet -q --json --store --lang --help -h" -- "$cur"))
		fi ;;
	export,parquet)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --out -o --since -s --until -u --host -H --quiet -q --json --store --socket --lang --help -h" -- "$cur"))
		fi ;;
	export,clickhouse)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --name --lang --help -h" -- "$cur"))
		fi ;;
	export,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --out -o --host -H --since -s --until -u --log-key -l --timestamps --json --store --lang --help -h" -- "$cur"))
		fi ;;
	decode,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	evidence,list)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	evidence,take)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --reason --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	evidence,open)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --key --certificate --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	enrol,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --name --again --new-keys --file --lang --help -h" -- "$cur"))
		fi ;;
	collector,init)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --config --lang --help -h" -- "$cur"))
		fi ;;
	collector,join)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --config --json --lang --help -h" -- "$cur"))
		fi ;;
	collector,list)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	collector,admit)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	token,create)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --name --valid --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	token,list)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	host,list)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	host,revoke)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --reason --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	host,retire)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --reason --unheard --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	host,export)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	console,user)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --role --scope --oidc --certificate --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	policy,check)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --devices --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,explain)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --usb --device-kind --printer --title --pages --path --format --mib --found --unreadable --protected --share --program --user -U --group --host -H --at --devices --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,fingerprint)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --policy --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,diff)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --user -U --group --host -H --at --admins --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,replay)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --since -s --until -u --host -H --group --devices --admins --json --store --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,keygen)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --name --out -o --lang --help -h" -- "$cur"))
		fi ;;
	policy,sign)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --key --devices --log-key -l --valid --admins --out -o --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,show)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --admins --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,apply)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,push)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --wait -w --json --socket --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	policy,status)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	usb,list)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	usb,learn)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --since -s --until -u --host -H --into --store --lang --help -h" -- "$cur"))
		fi ;;
	print,queues)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	print,held)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	print,release)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	quarantine,request)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	quarantine,order)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --key --certificate --admin-key --reason --valid --out -o --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	quarantine,release)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	reason,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	release,request)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		fi ;;
	release,answer)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --key --roster --for --access --json --lang --help -h" -- "$cur"))
		fi ;;
	release,keygen)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --out -o --lang --help -h" -- "$cur"))
		fi ;;
	report,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --month -m --since -s --until -u --pdf --csv --json --scheduled --config --store --log-key -l --socket --quiet -q --lang --help -h" -- "$cur"))
		fi ;;
	retention,show)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	retention,plan)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	retention,hold)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --month --host -H --user -U --reason --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	retention,lift)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --reason --json --socket --lang --help -h" -- "$cur"))
		fi ;;
	retention,request)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --month --channel --reason --key --log-key -l --checkpoint --valid --out -o --json --lang --help -h" -- "$cur"))
		fi ;;
	retention,countersign)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --key --admins --out -o --json --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	retention,order)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --socket --lang --help -h" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	self,show)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	self,open)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --for --valid --reason --json --lang --help -h" -- "$cur"))
		fi ;;
	self,close)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --lang --help -h" -- "$cur"))
		fi ;;
	store,stats)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --json --store --lang --help -h" -- "$cur"))
		fi ;;
	store,rebuild)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --quiet -q --store --lang --help -h" -- "$cur"))
		fi ;;
	store,move)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --to --readers --config --quiet -q --json --lang --help -h" -- "$cur"))
		fi ;;
	store,backup)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --to --config --quiet -q --json --lang --help -h" -- "$cur"))
		fi ;;
	store,restore)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --from --checkpoint --config --quiet -q --json --lang --help -h" -- "$cur"))
		fi ;;
	completion,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		fi ;;
	version,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		fi ;;
	help,*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W " --lang --help -h" -- "$cur"))
		fi ;;
	esac
}
complete -o filenames -F _sekishoctl sekishoctl
