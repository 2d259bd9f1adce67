package source
import ("testing";"os";"strings";"encoding/json";"path/filepath";"encoding/base64";"strconv";"net/url";"context";"fmt";"sort";"slices"
"strata/compile/db")
type hdr struct{ID string;Sources []string;Args []string;Dirs []string;Links map[string]string;Modes map[string]string;Nonl []string;B64 []string;Tags []string}
func TestConfTmp(t *testing.T){
 var files []string
 for _,d:=range []string{"matrix","trees","realworld"}{ m,_:=filepath.Glob("/work/shared/conformance/"+d+"/*.case"); files=append(files,m...)}
 stats:=map[string]int{}
 for _,f:=range files{ one(t,f,stats)}
 var k []string; for s,n:=range stats{k=append(k,fmt.Sprint(s," ",n))}; sort.Strings(k); t.Log(strings.Join(k,"\n"))
}
func set(x []string) map[string]bool{m:=map[string]bool{};for _,s:=range x{m[s]=true};return m}
func one(t *testing.T,f string,stats map[string]int){
 b,_:=os.ReadFile(f); root,_:=os.MkdirTemp("/dev/shm","src"); defer os.RemoveAll(root)
 lines:=strings.SplitAfter(string(b),"\n")
 var h hdr; if err:=json.Unmarshal([]byte(lines[0]),&h);err!=nil{t.Fatal(f,err)}
 nonl,b64:=set(h.Nonl),set(h.B64)
 sec:=map[string]string{}; cur:=""; order:=[]string{}
 for _,l:=range lines[1:]{ x:=strings.TrimSuffix(l,"\n"); if strings.HasPrefix(x,"-- ")&&strings.HasSuffix(x," --")&&len(x)>6{cur=x[3:len(x)-3];order=append(order,cur);sec[cur]="";continue}; sec[cur]+=l}
 un:=func(s string)string{u,err:=url.PathUnescape(s);if err!=nil{return s};return u}
 for _,d:=range h.Dirs{os.MkdirAll(filepath.Join(root,un(d)),0755)}
 for _,p:=range order{ if p=="//expect.json"{continue}; c:=sec[p]; if b64[p]{d,err:=base64.StdEncoding.DecodeString(strings.TrimSpace(c));if err!=nil{t.Fatal(f,err)};c=string(d)} else if nonl[p]{c=strings.TrimSuffix(c,"\n")}
  q:=filepath.Join(root,un(p)); os.MkdirAll(filepath.Dir(q),0755); if err:=os.WriteFile(q,[]byte(c),0644);err!=nil{t.Fatal(f,err)}}
 for p,l:=range h.Links{q:=filepath.Join(root,un(p));os.MkdirAll(filepath.Dir(q),0755); os.Symlink(un(l),q)}
 for p,m:=range h.Modes{v,_:=strconv.ParseUint(m,8,32); chmod(filepath.Join(root,un(p)),uint32(v))}
 var ex struct{Exit int;Class string;Names []string;Warnings []string;Svc map[string]map[string]any}
 if err:=json.Unmarshal([]byte(sec["//expect.json"]),&ex);err!=nil{t.Fatal(f,err)}
 if slices.Contains(h.Tags,"no-args"){return}
 if slices.Contains(h.Tags,"non-utf8"){stats["nonutf8"]++;return}
 var dirs []Dir; for _,s:=range h.Sources{p:=s; if p!=""{p=filepath.Join(root,s)}; dirs=append(dirs,Dir{Path:p})}
 st,dl:=Read(context.Background(),dirs,Options{S6RC:true})
 codes:=map[string]bool{}; for _,d:=range dl{ if d.Severity==0{codes[string(d.Code)]=true}}
 if ex.Exit==0 { stats["ok"]++; if dl.HasErrors(){t.Errorf("%s: %v",f,dl);return}
   byn:=map[string]*Definition{}; for _,d:=range st.Definitions{byn[d.Name]=d}
   for n,s:=range ex.Svc{ d:=byn[n]; if d==nil{ if s["type"]!="bundle"{t.Errorf("%s: missing %s",f,n)}; continue}
    if d.Kind.String()!=s["type"]{t.Errorf("%s %s type",f,n)}
    if d.Kind==Bundle{continue}
    if tt,ok:=s["timeout"].([]any);ok&&(uint32(tt[0].(float64))!=uint32(d.Body.TimeoutUp)||uint32(tt[1].(float64))!=uint32(d.Body.TimeoutDown)){t.Errorf("%s %s timeout",f,n)}
    for k,p:=range map[string]db.Program{"up":d.Body.Up,"down":d.Body.Down,"reload":d.Body.Reload}{ w,ok:=s[k].([]any); if !ok{continue}; var ws []string; for _,x:=range w{ if y,ok:=x.(string);ok{ws=append(ws,y)}else{ z,_:=base64.StdEncoding.DecodeString(x.(map[string]any)["b64"].(string));ws=append(ws,string(z))}}; if !slices.Equal(ws,p.Argv){t.Errorf("%s %s %s %q %q",f,n,k,ws,p.Argv)}}
    if sd,ok:=s["servicedir"].(map[string]any);ok{ got:=map[string]string{}
      blob:=func(c []byte)string{ if len(c)<=16{return "="+string(c)}; return "sha256:"+digest(c).Short()}
      for _,e:=range d.Body.Files{ switch e.Kind{case db.Directory:got[e.Path]=fmt.Sprintf("d %04o",e.Mode);case db.Link:got[e.Path]="-> "+e.Target;case db.File:got[e.Path]=fmt.Sprintf("f %04o %s",e.Mode,blob(st.Blobs[e.Blob]));default:got[e.Path]="fifo"}}
      if _,ok:=got["template"];ok{got["instance"]="d 0755";got["instances"]="d 0755"}
      for k,u:=range map[string]db.Uint{"notification-fd":d.Body.NotificationFD,"lock-fd":d.Body.LockFD,"timeout-kill":d.Body.TimeoutKill,"timeout-finish":d.Body.TimeoutFinish,"max-death-tally":d.Body.MaxDeathTally}{if u.Set{got[k]=fmt.Sprintf("f 0644 =%d\n",u.Value)}}
      if d.Body.DownSignal!=nil{got["down-signal"]="f 0644 "+blob(d.Body.DownSignal)}
      if d.Body.ReloadSignal!=nil{got["reload-signal"]="f 0644 "+blob(d.Body.ReloadSignal)}
      if d.Body.TimeoutKillPG{got["flag-timeout-killpg"]="f 0644 ="}
      if d.Body.NewPIDNS{got["flag-newpidns"]="f 0644 ="}
      r:="run";fi:="finish"; if len(d.ProducerFor)+len(d.ConsumerFor)>0{r="run.user";fi="finish.user"}
      got[r]="f 0755 "+blob(st.Blobs[d.Body.Run.Script]); if d.Body.Finish.Form!=0{got[fi]="f 0755 "+blob(st.Blobs[d.Body.Finish.Script])}
      for k,v:=range sd{ if strings.Contains(v.(string),"wrapper"){continue}; if got[k]!=v.(string){t.Errorf("%s %s servicedir %s got %q want %q",f,n,k,got[k],v)}; delete(got,k)}
      for k:=range got{t.Errorf("%s %s servicedir extra %s %q",f,n,k,got[k])}
    }
   }
   ww:=0; for _,x:=range ex.Warnings{_ = x;ww++}; _,gw:=dl.Count(); if ww>0&&gw==0{t.Errorf("%s warnings %v",f,ex.Warnings)}
   return }
 late:=set([]string{"undefined-dependency","undefined-in-bundle","dependency-cycle","bundle-cycle","pipeline-wrong-type","pipeline-not-mutual","pipeline-loop","duplicate","dest-exists","usage","bad-verbosity"})
 if late[ex.Class]{ stats["late "+ex.Class]++; if dl.HasErrors(){stats["late-early "+ex.Class]++; }; return}
 if !dl.HasErrors(){t.Errorf("%s: want %s, none",f,ex.Class);return}
 if !codes[ex.Class]{t.Errorf("%s: want %s, %v",f,ex.Class,dl)}
 stats["err"]++
 msg:=""; for _,d:=range dl{msg+=d.Message+"\n"}; okn:=len(ex.Names)==0; for _,n:=range ex.Names{ if strings.Contains(msg,n){okn=true}}; if !okn{t.Errorf("%s names %v in %s",f,ex.Names,msg)}
}
